SELECT id FROM job WHERE id = :id AND fence = :fence AND state = 'processing';
