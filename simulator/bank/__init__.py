"""The bank: accounts, what is booked on them, transfers, and the papers of each day."""
