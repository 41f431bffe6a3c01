"""The parts of the journal that have a port of their own."""
