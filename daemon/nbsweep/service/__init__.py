"""Decides when: the supervisor, its schedule, and the web face. What a sweep does is the engine's business."""
