"""The languages of the pages: messages, their translations, and how values look in each language."""
