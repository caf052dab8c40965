UPDATE job SET external_ref = NULL
WHERE id = %(id)s AND external_ref = %(ref)s AND finished_at IS NOT NULL
RETURNING id;
