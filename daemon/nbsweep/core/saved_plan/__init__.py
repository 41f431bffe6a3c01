"""Saved plans: a permission to look again, for a limited time, and no permission to delete."""
