"""What every kind of command and subject shares; imports no noun."""
