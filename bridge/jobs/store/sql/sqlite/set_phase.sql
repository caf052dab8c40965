UPDATE job
SET phase_started_at = CASE WHEN phase IS :phase THEN phase_started_at ELSE :now END,
    phase = :phase,
    phase_timeout = :timeout
WHERE id = :id AND fence = :fence AND state = 'processing'
RETURNING :now - phase_started_at AS seconds;
