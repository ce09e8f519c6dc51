"""Witnesses of checkpoints: a folder, a server that signs, a time stamping authority."""
