"""Reports as HTML: one file each, with its charts and its style inside, and without scripts or anything to load."""
