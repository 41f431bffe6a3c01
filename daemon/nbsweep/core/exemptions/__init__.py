"""Exemptions: granted exceptions that keep a notebook until an end. Pure."""
