"""The owners' directory: finds where the owner of a notebook is reached."""
