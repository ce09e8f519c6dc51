"""What the house asks of the world: one Protocol per file."""
