"""Plans for people: the last one that was made of each target, what was approved, and what has changed since."""
