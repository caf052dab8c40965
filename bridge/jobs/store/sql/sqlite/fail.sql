UPDATE job
SET state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN :final OR errors + 1 >= max_errors THEN 'failed'
        ELSE 'pending'
    END,
    finished_at = CASE WHEN cancel_requested OR :final OR errors + 1 >= max_errors THEN :now END,
    errors = errors + 1,
    error = :error,
    run_at = :now + :backoff,
    phase = NULL, phase_started_at = NULL, phase_timeout = NULL,
    owner = NULL, lease_until = NULL
WHERE id = :id AND fence = :fence AND state = 'processing'
RETURNING *;
