"""Signatures: Ed25519 keys in files, and whether a signature is genuine."""
