"""What happens, as frozen records. Logs, progress and metrics are made from these, and from nothing else."""
