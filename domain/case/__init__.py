"""Cases: what waits for a person, and what it holds up."""
