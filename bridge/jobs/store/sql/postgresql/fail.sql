UPDATE job
SET state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN %(final)s::bool OR errors + 1 >= max_errors THEN 'failed'
        ELSE 'pending'
    END,
    finished_at = CASE WHEN cancel_requested OR %(final)s::bool OR errors + 1 >= max_errors THEN now_seconds() END,
    errors = errors + 1,
    error = %(error)s::json,
    run_at = now_seconds() + %(backoff)s::float8,
    phase = NULL, phase_started_at = NULL, phase_timeout = NULL,
    owner = NULL, lease_until = NULL
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING *;
