"""Applications from upstream, by the rules of a row."""
