"""What the page of one notebook shows."""
