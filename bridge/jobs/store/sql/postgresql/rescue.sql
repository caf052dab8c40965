-- Judged by this server's clock alone: a host whose own clock is wrong steals nothing.
UPDATE job
SET state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN rescues + 1 > max_rescues THEN 'failed'
        ELSE 'pending'
    END,
    finished_at = CASE WHEN cancel_requested OR rescues + 1 > max_rescues THEN now_seconds() END,
    error = CASE WHEN rescues + 1 > max_rescues AND NOT cancel_requested THEN %(error)s::json ELSE error END,
    rescues = rescues + 1,
    parked_at = seen_at,
    owner = NULL, lease_until = NULL
WHERE state = 'processing' AND lease_until < now_seconds()
RETURNING *;
