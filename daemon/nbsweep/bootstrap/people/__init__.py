"""Builds what tells people and answers them: channels, messages, one-time links, the relay, and the directory of owners."""
