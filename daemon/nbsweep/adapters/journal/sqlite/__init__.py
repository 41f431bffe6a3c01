"""What a journal in a file of SQLite needs beyond its tables: it must be the same file under the same path."""
