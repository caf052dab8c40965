UPDATE job
SET state = 'pending', run_at = now_seconds(), seen_at = now_seconds(), started_at = NULL, finished_at = NULL,
    cancel_requested = false, errors = 0, snoozes = 0, rescues = 0, error = NULL,
    phase = NULL, phase_started_at = NULL, phase_timeout = NULL, parked_at = NULL
WHERE id = %(id)s AND state IN ('failed', 'cancelled')
RETURNING *;
