"""Telling people: e-mail and text messages."""
