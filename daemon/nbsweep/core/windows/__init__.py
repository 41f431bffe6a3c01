"""Windows: the times in which DELETEs may leave. Pure."""
