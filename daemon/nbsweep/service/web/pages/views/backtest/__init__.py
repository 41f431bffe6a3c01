"""The page Back-test: its form, and its result."""
