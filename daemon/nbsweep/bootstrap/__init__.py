"""The composition root: settings in, opened adapters and what is built on them out. No other package builds an adapter."""
