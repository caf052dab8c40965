UPDATE job
SET state = 'cancelled', finished_at = :now, owner = NULL, lease_until = NULL
WHERE id = :id AND fence = :fence AND state = 'processing'
RETURNING id;
