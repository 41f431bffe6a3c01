"""The sweeps that are due: what a fleet's `serve` processes record, and its workers carry out."""
