"""The options of the commands: a file for each group of commands in `nbsweep --help`."""
