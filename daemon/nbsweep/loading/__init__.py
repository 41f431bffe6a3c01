"""The configuration file, the environment and the vendor's files in, Settings out."""
