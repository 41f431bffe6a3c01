"""Grants of exemptions: what may be granted, and what a grant keeps. Pure."""
