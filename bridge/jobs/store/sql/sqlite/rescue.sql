-- Whoever has this file open is the only one that has, so every other owner is dead.
UPDATE job
SET state = CASE
        WHEN cancel_requested THEN 'cancelled'
        WHEN rescues + 1 > max_rescues THEN 'failed'
        ELSE 'pending'
    END,
    finished_at = CASE WHEN cancel_requested OR rescues + 1 > max_rescues THEN :now END,
    error = CASE WHEN rescues + 1 > max_rescues AND NOT cancel_requested THEN :error ELSE error END,
    rescues = rescues + 1,
    parked_at = seen_at,
    owner = NULL, lease_until = NULL
WHERE state = 'processing' AND owner IS NOT :alive
RETURNING *;
