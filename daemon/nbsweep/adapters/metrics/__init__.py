"""Metrics for Prometheus, from events and from the state of the service."""

from nbsweep.adapters.metrics.collector import Metrics

__all__ = ["Metrics"]
