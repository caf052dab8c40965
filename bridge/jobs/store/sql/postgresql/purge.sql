DELETE FROM job WHERE finished_at IS NOT NULL AND finished_at + retention <= now_seconds() RETURNING id;
