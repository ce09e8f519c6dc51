"""Files about cases."""
