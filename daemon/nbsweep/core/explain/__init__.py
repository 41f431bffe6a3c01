"""The account of one notebook: what every rule says of it, and what would change the verdict."""
