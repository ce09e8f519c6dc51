"""`python -m workers`: the same as the program `acquit`."""

from cli.tree import main

main()
