"""What a rule asks of a notebook: globs, groups of owners, conditions, and the facts that are missing. Pure."""
