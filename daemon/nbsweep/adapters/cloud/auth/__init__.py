"""Who calls, and how that is proven: keys, tokens, signatures, and where each of them comes from."""
