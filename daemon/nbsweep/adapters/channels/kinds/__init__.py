"""One module for each kind of channel: what it sends, and what the answers mean (docs/reference/channels.md)."""
