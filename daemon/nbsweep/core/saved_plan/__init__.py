"""A plan that was saved: permission to look again, for a time, and not permission to delete."""
