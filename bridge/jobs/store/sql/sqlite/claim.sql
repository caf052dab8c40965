UPDATE job
SET state = 'processing',
    fence = fence + 1,
    owner = :owner,
    lease_until = :now + :lease,
    seen_at = :now,
    started_at = coalesce(started_at, :now),
    phase_started_at = phase_started_at + coalesce(:now - parked_at, 0),
    parked_at = NULL
WHERE id = (
    SELECT id FROM job
    WHERE state = 'pending' AND run_at <= :now AND NOT (SELECT paused FROM queue)
    ORDER BY priority, run_at, id
    LIMIT 1
)
RETURNING *;
