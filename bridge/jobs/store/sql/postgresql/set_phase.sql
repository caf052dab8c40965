UPDATE job
SET phase_started_at = CASE
        WHEN phase IS NOT DISTINCT FROM %(phase)s::text THEN phase_started_at
        ELSE now_seconds()
    END,
    phase = %(phase)s,
    phase_timeout = %(timeout)s::float8
WHERE id = %(id)s AND fence = %(fence)s AND state = 'processing'
RETURNING now_seconds() - phase_started_at AS seconds;
