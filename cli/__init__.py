"""The command line: one module for each command; every command module has `register(app)`."""
