"""What the pages of the past show: the history, and one run."""
