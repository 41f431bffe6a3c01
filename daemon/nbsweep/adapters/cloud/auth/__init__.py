"""Authentication: keys, tokens, signatures, and the sources of credentials."""
