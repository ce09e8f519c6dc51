"""Proofs and checkpoints as files: written for outsiders, and read from them."""
