WITH next AS (
    SELECT id FROM job
    WHERE state = 'pending' AND run_at <= now_seconds() AND NOT (SELECT paused FROM queue)
    ORDER BY priority, run_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE job
SET state = 'processing',
    fence = fence + 1,
    owner = %(owner)s,
    lease_until = now_seconds() + %(lease)s::float8,
    seen_at = now_seconds(),
    started_at = coalesce(started_at, now_seconds()),
    phase_started_at = phase_started_at + coalesce(now_seconds() - parked_at, 0),
    parked_at = NULL
FROM next
WHERE job.id = next.id
RETURNING job.*;
