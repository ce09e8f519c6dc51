"""Who may do what: persons, roles, portfolios, keys, and orders that need a second person."""
