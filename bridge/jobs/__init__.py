"""Durable work: jobs that outlive requests, Blenders and bridges.

model   a job, as it is kept
store   where jobs are kept: an SQLite file, or PostgreSQL; each write is fenced by its claim

    submit → pending → claim → processing → completed | failed | cancelled
                ↑                   │
                └── snooze, error, rescue, clean shutdown
"""
