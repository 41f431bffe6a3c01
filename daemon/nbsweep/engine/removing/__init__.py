"""The way of the planned notebooks from the second look to their end."""
