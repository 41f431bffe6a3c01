"""Marks, the outbox and exemptions in the journal."""
