"""The JSON documents of plans, runs, reports and explanations; the keys are part of the contract."""
