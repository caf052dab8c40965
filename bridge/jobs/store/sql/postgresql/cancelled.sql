UPDATE job
SET state = 'cancelled', finished_at = now_seconds(), owner = NULL, lease_until = NULL
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING id;
