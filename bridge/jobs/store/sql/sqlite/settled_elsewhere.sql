UPDATE job SET external_ref = NULL
WHERE id = :id AND external_ref = :ref AND finished_at IS NOT NULL
RETURNING id;
