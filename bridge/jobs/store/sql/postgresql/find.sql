SELECT * FROM job
WHERE (%(state)s::text IS NULL OR state = %(state)s::text)
    AND (%(kind)s::text IS NULL OR kind = %(kind)s::text)
    AND (%(before)s::text = '' OR id < %(before)s::text)
ORDER BY id DESC
LIMIT %(limit)s;
