UPDATE job
SET cancel_requested = 1,
    state = CASE state WHEN 'pending' THEN 'cancelled' ELSE state END,
    finished_at = CASE state WHEN 'pending' THEN :now ELSE finished_at END
WHERE id = :id AND state IN ('pending', 'processing')
RETURNING *;
