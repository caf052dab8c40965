UPDATE queue SET paused = %(paused)s;
