"""Bank statements: lines, heads, totals, identity and order."""
