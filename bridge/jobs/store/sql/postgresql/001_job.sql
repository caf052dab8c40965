CREATE FUNCTION now_seconds() RETURNS double precision
LANGUAGE sql STABLE AS $$ SELECT date_part('epoch', now()) $$;

CREATE TABLE job (
    id text COLLATE "C" PRIMARY KEY,
    kind text NOT NULL,
    params json NOT NULL,
    key text,
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    phase text,
    phase_started_at double precision,
    phase_timeout double precision,
    priority integer NOT NULL,
    run_at double precision NOT NULL,
    created_at double precision NOT NULL,
    started_at double precision,
    finished_at double precision,
    fence integer NOT NULL DEFAULT 0,
    owner text,
    lease_until double precision,
    -- The last claim, heartbeat or retry.
    seen_at double precision,
    -- Since when nobody works on it, though it is in a phase: that time does not count towards the phase's time-out.
    parked_at double precision,
    errors integer NOT NULL DEFAULT 0,
    max_errors integer NOT NULL,
    snoozes integer NOT NULL DEFAULT 0,
    rescues integer NOT NULL DEFAULT 0,
    max_rescues integer NOT NULL,
    cancel_requested boolean NOT NULL DEFAULT false,
    progress json,
    result json,
    error json,
    external_ref text,
    retention double precision NOT NULL
);

CREATE INDEX job_pending ON job (priority, run_at, id) WHERE state = 'pending';
-- Not by lease_until: a heartbeat changes no index.
CREATE INDEX job_processing ON job (owner) WHERE state = 'processing';
CREATE INDEX job_ended ON job ((finished_at + retention)) WHERE finished_at IS NOT NULL;
-- To count them.
CREATE INDEX job_state ON job (state);
CREATE UNIQUE INDEX job_key ON job (key) WHERE key IS NOT NULL;
CREATE INDEX job_elsewhere ON job (id) WHERE external_ref IS NOT NULL AND finished_at IS NOT NULL;

CREATE TABLE queue (paused boolean NOT NULL);
INSERT INTO queue (paused) VALUES (false);

-- Bridges that wait for work, or that work on a job which is to be cancelled, are told at once.
CREATE FUNCTION tell_bridges() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], TG_ARGV[1]);
    RETURN NULL;
END $$;

DO $$
BEGIN
    EXECUTE format('CREATE TRIGGER job_submitted AFTER INSERT ON job FOR EACH ROW
        EXECUTE FUNCTION tell_bridges(%L, ''pending'')', 'jobs:' || current_schema());
    EXECUTE format('CREATE TRIGGER job_returned AFTER UPDATE OF state ON job FOR EACH ROW
        WHEN (NEW.state = ''pending'') EXECUTE FUNCTION tell_bridges(%L, ''pending'')', 'jobs:' || current_schema());
    EXECUTE format('CREATE TRIGGER job_cancelled AFTER UPDATE OF cancel_requested ON job FOR EACH ROW
        WHEN (NEW.cancel_requested AND NOT OLD.cancel_requested)
        EXECUTE FUNCTION tell_bridges(%L, ''cancel'')', 'jobs:' || current_schema());
    EXECUTE format('CREATE TRIGGER queue_changed AFTER UPDATE ON queue FOR EACH ROW
        EXECUTE FUNCTION tell_bridges(%L, ''pending'')', 'jobs:' || current_schema());
END $$;
