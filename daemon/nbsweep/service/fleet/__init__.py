"""A fleet: `serve` processes that record what is due, and workers that carry it out."""
