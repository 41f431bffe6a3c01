"""The reasons of verdicts as values, and their sentences in each language."""
