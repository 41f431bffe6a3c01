"""What the simulated cloud answers to whom: its gateway, its APIs, and its faults."""
