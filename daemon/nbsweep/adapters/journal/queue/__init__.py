"""The queue of a fleet: procrastinate on the PostgreSQL of the journal."""
