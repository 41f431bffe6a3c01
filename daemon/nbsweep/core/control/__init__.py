"""The records that commands and services exchange through the journal: pauses, requests for sweeps, and reports. Pure."""
