"""The parts of the journal in memory that have a port of their own."""
