"""Who may ask the HTTP API for what, and how often."""
