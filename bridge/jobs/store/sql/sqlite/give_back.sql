UPDATE job
SET state = CASE WHEN cancel_requested THEN 'cancelled' ELSE 'pending' END,
    finished_at = CASE WHEN cancel_requested THEN :now END,
    parked_at = :now, owner = NULL, lease_until = NULL
WHERE id = :id AND fence = :fence AND state = 'processing'
RETURNING id;
