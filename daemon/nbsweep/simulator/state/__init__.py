"""The state of the simulated cloud: notebooks, their operations, and listings."""
