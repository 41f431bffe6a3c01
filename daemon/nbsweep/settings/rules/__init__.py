"""The settings of the rules: policies, their conditions and windows, and the holdout."""
