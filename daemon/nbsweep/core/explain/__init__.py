"""Explains one notebook: the result of every rule, and what would change the verdict."""
