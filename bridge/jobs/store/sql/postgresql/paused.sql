SELECT paused FROM queue;
