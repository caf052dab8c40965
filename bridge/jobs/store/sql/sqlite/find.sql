SELECT * FROM job
WHERE (:state IS NULL OR state = :state) AND (:kind IS NULL OR kind = :kind) AND (:before = '' OR id < :before)
ORDER BY id DESC
LIMIT :limit;
