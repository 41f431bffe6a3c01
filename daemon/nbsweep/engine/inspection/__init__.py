"""Looks at targets and notebooks without changing anything."""
