"""The JSON API: its operations, their handlers and documents, and the description of it."""
