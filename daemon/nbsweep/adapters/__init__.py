"""Implementations of the ports: the only code that uses HTTP, SQL or the wall clock."""
