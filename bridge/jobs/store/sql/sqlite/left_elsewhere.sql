SELECT * FROM job WHERE external_ref IS NOT NULL AND finished_at IS NOT NULL LIMIT 100;
