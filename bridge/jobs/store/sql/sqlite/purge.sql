-- A few at a time: nobody waits long for it.
DELETE FROM job
WHERE id IN (SELECT id FROM job WHERE finished_at IS NOT NULL AND finished_at + retention <= :now LIMIT 500)
RETURNING id;
