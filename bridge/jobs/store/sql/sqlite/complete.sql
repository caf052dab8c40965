UPDATE job
SET state = 'completed', result = :result, error = NULL, finished_at = :now, owner = NULL, lease_until = NULL
WHERE id = :id AND fence = :fence AND state = 'processing'
RETURNING id;
