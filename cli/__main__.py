"""`python -m cli`: the same as the program `acquit`."""

from cli.tree import main

main()
