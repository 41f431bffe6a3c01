"""How SQLite and PostgreSQL are connected to, from tasks, and how an outage is outlasted."""
