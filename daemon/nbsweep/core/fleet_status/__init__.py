"""What the processes of a fleet do, according to the journal and the queue, and what needs an action."""
