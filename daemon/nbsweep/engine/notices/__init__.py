"""The relay: composes messages from waiting items, sends them, and records what was told."""
