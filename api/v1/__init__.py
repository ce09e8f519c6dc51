"""The endpoints of version 1, one file for each noun."""
