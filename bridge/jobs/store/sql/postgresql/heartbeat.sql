UPDATE job SET lease_until = now_seconds() + %(lease)s::float8, seen_at = now_seconds()
WHERE state = 'processing' AND owner = %(owner)s
RETURNING id, fence, cancel_requested;
