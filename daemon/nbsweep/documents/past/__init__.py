"""The JSON documents about the past: the inventory, the history and back-tests."""
