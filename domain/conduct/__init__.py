"""Conduct: when and how a borrower may be contacted."""
