"""What the values of a configuration are made from: their types, and how they are written."""
