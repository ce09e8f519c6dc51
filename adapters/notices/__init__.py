"""Notices to borrowers by e-mail and text message."""
