"""Commands that compute one figure of a loan and print it."""
