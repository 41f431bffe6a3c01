"""Renders what is told to people as letters: digests for owners and events for operators, by templates."""
