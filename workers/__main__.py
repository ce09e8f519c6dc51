"""`python -m workers`: the same as the program `acquit`."""

from workers.cli import main

main()
