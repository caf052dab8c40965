SELECT * FROM job WHERE key = %(key)s;
