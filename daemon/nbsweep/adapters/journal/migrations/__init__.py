"""Migrates a database from any earlier schema to that of `tables.py`; Alembic finds the revisions in `versions/`."""
