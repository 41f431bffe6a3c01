"""Business days: which days count, and moments that lie so many of them ahead. Pure."""
