"""Decides when a target is swept: the supervisor, its schedule, and the HTTP API. The engine decides how."""
