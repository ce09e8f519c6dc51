"""The journal written for other programs: hledger and CSV."""
