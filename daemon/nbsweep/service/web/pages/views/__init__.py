"""The records that the templates show, and the pure functions that build them, one module for each page."""
