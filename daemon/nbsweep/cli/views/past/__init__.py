"""The views of the past: history, inventory and back-tests."""
