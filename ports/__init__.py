"""Ports: what Acquit needs from outside, as Protocols."""
