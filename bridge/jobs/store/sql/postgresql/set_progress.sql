UPDATE job SET progress = %(progress)s::json
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING id;
