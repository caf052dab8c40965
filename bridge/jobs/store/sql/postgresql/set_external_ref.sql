UPDATE job SET external_ref = %(ref)s WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing' RETURNING id;
