SELECT * FROM job WHERE key = :key;
