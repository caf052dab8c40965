-- Whoever set the clock back made these times the future's: no job waits for longer than it was to wait then.
UPDATE job
SET run_at = run_at - max(0, max(created_at, coalesce(seen_at, 0)) - :now),
    created_at = min(created_at, :now),
    seen_at = min(seen_at, :now),
    started_at = min(started_at, :now),
    phase_started_at = min(phase_started_at, :now),
    parked_at = min(parked_at, :now),
    finished_at = min(finished_at, :now)
WHERE max(created_at, coalesce(seen_at, 0), coalesce(finished_at, 0)) > :now;
