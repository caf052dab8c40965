SELECT id FROM job WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing';
