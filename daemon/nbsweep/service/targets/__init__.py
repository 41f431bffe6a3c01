"""The sweeps of one target: when they are due, how they went, and what is known about the target."""
