UPDATE job
SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'pending' END,
    finished_at = CASE WHEN cancel_requested THEN now_seconds() END,
    parked_at = now_seconds(), owner = NULL, lease_until = NULL
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING id;
