"""The events, as frozen records. Logs, progress and metrics are made only from events."""
