"""Notices: messages about marks, the outbox that holds them, and the channels that send them. Pure."""
