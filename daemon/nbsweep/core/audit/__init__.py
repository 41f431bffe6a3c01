"""The audit trail: its entries, the steps that they are about, and the chain that makes a change visible."""
