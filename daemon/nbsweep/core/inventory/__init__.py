"""The inventory: the states of all notebooks over time, as surveys showed them. Pure."""
