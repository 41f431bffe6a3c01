"""The records of a fleet: its fences, the sweeps that are due, and its workers."""
