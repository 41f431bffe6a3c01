"""The workers of a fleet, as they report themselves."""
