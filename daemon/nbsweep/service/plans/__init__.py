"""Saved plans: how they are made and checked, and carried out."""
