"""What should happen, worked out from values alone: no file here does I/O or imports anything outside the core."""
