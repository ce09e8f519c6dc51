"""Rails: the one transport seam, code tables, and one package per rail."""
