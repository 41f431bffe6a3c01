"""What keeps processes and targets apart: leases, fences, the turns of accounts, and logins that processes share."""
