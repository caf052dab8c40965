UPDATE job
SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'pending' END,
    finished_at = CASE WHEN cancel_requested THEN now_seconds() END,
    snoozes = snoozes + 1,
    run_at = now_seconds() + %(seconds)s::float8,
    owner = NULL, lease_until = NULL
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING *;
