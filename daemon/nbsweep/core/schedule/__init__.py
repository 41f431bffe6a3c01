"""When a schedule is due, and which due time was missed."""
