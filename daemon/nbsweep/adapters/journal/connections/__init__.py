"""Connections to SQLite and PostgreSQL for asynchronous tasks, and waiting for the end of an outage."""
