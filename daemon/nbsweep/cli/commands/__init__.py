"""One file for each command, called like the command."""
