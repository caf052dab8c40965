INSERT INTO job (id, kind, params, key, priority, run_at, created_at, max_errors, max_rescues, retention)
VALUES (
    %(id)s, %(kind)s, %(params)s, %(key)s, %(priority)s, now_seconds() + %(delay)s::float8, now_seconds(),
    %(max_errors)s, %(max_rescues)s, %(retention)s
)
ON CONFLICT (key) WHERE key IS NOT NULL DO NOTHING
RETURNING *;
