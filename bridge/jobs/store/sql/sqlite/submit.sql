INSERT INTO job (id, kind, params, key, priority, run_at, created_at, max_errors, max_rescues, retention)
VALUES (:id, :kind, :params, :key, :priority, :now + :delay, :now, :max_errors, :max_rescues, :retention)
ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
RETURNING *;
