"""The holdout: a share of the notebooks is spared for a time, so that it shows how many would have come back. Pure."""
