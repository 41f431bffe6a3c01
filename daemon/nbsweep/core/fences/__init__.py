"""Fences: rights that one process of a fleet has at a time, such as the calls of an account."""
