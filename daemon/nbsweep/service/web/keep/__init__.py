"""The pages of one-time links, on which owners keep their notebooks. They need no token of the API: the link is the key."""
