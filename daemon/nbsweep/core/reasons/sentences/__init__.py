"""The codes of statements with their sentences in each language, by what they are about."""
