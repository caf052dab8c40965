UPDATE job SET progress = :progress WHERE id = :id AND fence = :fence AND state = 'processing' RETURNING id;
