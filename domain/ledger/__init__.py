"""The ledger: chart of accounts, balanced entries, the hash chain."""
