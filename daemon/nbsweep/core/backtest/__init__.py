"""The back-test: what policies would have deleted in the past, and whether anybody came back for it. Pure."""
