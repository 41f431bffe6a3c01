"""Reads the recorded past: what other policies would have done, and what really happened."""
