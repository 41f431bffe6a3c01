"""The composition root: opens the adapters that the settings name, and builds on them. No other package builds an adapter."""
