"""Counts and measures for Prometheus, made from events, and from what the service tells of itself when somebody asks."""

from nbsweep.adapters.metrics.collector import Metrics

__all__ = ["Metrics"]
