"""How long the journal keeps what has ended."""
