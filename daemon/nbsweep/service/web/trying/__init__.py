"""Policies that are tried on the past from a page: the question, its answer, and the last results."""
