"""The inventory in the journal: surveys, and the states of notebooks between them."""
