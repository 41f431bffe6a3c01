"""The audit trail: its entries, the steps that they record, and the chain that shows changes."""
