SELECT min(run_at) - now_seconds() AS seconds FROM job
WHERE state = 'pending' AND NOT (SELECT paused FROM queue);
