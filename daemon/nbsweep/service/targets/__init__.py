"""What a target runner is made of: the pause of its target, and how its sweeps went."""
