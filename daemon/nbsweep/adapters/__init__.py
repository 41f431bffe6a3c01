"""The only files that know HTTP, SQL or the wall clock."""
