"""The interface of the simulated cloud: its gateway, its APIs, and its faults."""
