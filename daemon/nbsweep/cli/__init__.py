"""The command line: commands, options, exit codes, and what they print."""
