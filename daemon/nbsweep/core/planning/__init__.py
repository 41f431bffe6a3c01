"""The plan of a sweep: what the rules let go, what cools down, and what the brakes leave. Pure."""
