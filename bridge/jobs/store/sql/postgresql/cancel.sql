UPDATE job
SET cancel_requested = true,
    state = CASE state WHEN 'pending' THEN 'cancelled' ELSE state END,
    finished_at = CASE state WHEN 'pending' THEN now_seconds() ELSE finished_at END
WHERE id = %(id)s AND state IN ('pending', 'processing')
RETURNING *;
