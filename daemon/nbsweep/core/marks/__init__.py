"""Marks: the announced intention to delete one instance of a notebook, and what clears it. Pure."""
