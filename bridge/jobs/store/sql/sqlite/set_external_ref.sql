UPDATE job SET external_ref = :ref WHERE id = :id AND fence = :fence AND state = 'processing' RETURNING id;
