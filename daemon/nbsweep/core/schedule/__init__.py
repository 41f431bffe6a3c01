"""Due times of a schedule, and missed due times."""
