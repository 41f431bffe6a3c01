"""What plans, runs, reports and accounts are as plain values, for JSON; the keys are part of the contract."""
