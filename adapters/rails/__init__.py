"""Rails: the HTTP transport, code tables, and one package per rail."""
