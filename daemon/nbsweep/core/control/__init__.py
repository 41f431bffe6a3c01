"""What people ask of a service through its journal: pauses and sweeps; and what a service reports about itself there. Pure."""
