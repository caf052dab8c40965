CREATE TABLE job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    params TEXT NOT NULL,
    key TEXT,
    state TEXT NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    phase TEXT,
    phase_started_at REAL,
    phase_timeout REAL,
    priority INTEGER NOT NULL,
    run_at REAL NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    fence INTEGER NOT NULL DEFAULT 0,
    owner TEXT,
    lease_until REAL,
    -- The last claim, heartbeat or retry.
    seen_at REAL,
    -- Since when nobody works on it, though it is in a phase: that time does not count towards the phase's time-out.
    parked_at REAL,
    errors INTEGER NOT NULL DEFAULT 0,
    max_errors INTEGER NOT NULL,
    snoozes INTEGER NOT NULL DEFAULT 0,
    rescues INTEGER NOT NULL DEFAULT 0,
    max_rescues INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    progress TEXT,
    result TEXT,
    error TEXT,
    external_ref TEXT,
    retention REAL NOT NULL
) STRICT;

CREATE INDEX job_pending ON job (priority, run_at, id) WHERE state = 'pending';
CREATE INDEX job_processing ON job (owner) WHERE state = 'processing';
CREATE INDEX job_ended ON job (finished_at + retention) WHERE finished_at IS NOT NULL;
-- To count them.
CREATE INDEX job_state ON job (state);
CREATE UNIQUE INDEX job_key ON job (key) WHERE key IS NOT NULL;
CREATE INDEX job_elsewhere ON job (id) WHERE external_ref IS NOT NULL AND finished_at IS NOT NULL;

CREATE TABLE queue (paused INTEGER NOT NULL) STRICT;
INSERT INTO queue (paused) VALUES (0);
