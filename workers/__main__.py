"""`python -m workers`: the same door as the program `acquit`."""

from workers.cli import main

main()
