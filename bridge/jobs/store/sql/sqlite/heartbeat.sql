UPDATE job SET lease_until = :now + :lease, seen_at = :now
WHERE state = 'processing' AND owner = :owner
RETURNING id, fence, cancel_requested;
