"""The story of a sweep, read top to bottom: sweep, recovery, executor, poller."""
