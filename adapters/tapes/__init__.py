"""Loan tapes: CSV in, commands that board loans out, every bad row named."""
