UPDATE job
SET state = 'completed', result = %(result)s::json, error = NULL, finished_at = now_seconds(),
    owner = NULL, lease_until = NULL
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING id;
