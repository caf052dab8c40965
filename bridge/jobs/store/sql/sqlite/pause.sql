UPDATE queue SET paused = :paused;
