"""What the journal counts: how many removals ended, when, and how."""
