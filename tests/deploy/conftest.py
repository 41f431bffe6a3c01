"""The simulated cloud and the real command, for what is judged while a service runs."""

from acceptance.conftest import desk, simulate

__all__ = ["desk", "simulate"]
