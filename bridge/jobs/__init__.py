"""Durable work: jobs that outlive requests, Blenders and bridges.

model       a job, as it is kept
store       where jobs are kept: an SQLite file, or PostgreSQL; each write is fenced by its claim
access      the store, called from tasks; pace, how often
queue       claims jobs, hears of cancels, takes over from bridges that died, drains
running     one attempt from its claim to what the store is told of it; attempt, what its work sees
elsewhere   what a cluster may still do for jobs that have ended
counting    how many jobs there are; rate, how fast one goes
performing  an attempt → its kind, with a Blender and a place for its outputs
kinds       what a job can be; engines, where its Blender runs

    submit → pending → claim → processing → completed | failed | cancelled
                ↑                   │
                └── snooze, error, rescue, clean shutdown
"""
