"""The ledger: chart of accounts, balanced entries, bookings, the hash chain."""
