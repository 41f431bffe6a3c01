"""The past in the journal: surveys, the states of notebooks between them, and the notebooks that are held out."""
