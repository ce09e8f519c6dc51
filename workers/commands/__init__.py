"""Commands of the program, one module for each noun; every module has `register(app)`."""
