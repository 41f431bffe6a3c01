"""What brings a database from any earlier shape to the one in `tables.py`; Alembic finds the revisions in `versions/`."""
