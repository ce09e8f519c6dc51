"""Writes docs/closure-lifecycle.md: `python -m domain.loanclosure.lifecycle_doc`."""

import sys

from domain.kernel import lifecycle_doc
from domain.loanclosure.lifecycle import (
    CLOSURE_FINAL,
    CLOSURE_MOVES,
    LEG_MOVES,
    LEG_OVER,
    ClosureState,
    LegState,
)

HEAD = """# Lifecycle of a loan's closure

Made from `domain/loanclosure/lifecycle.py` by `python -m domain.loanclosure.lifecycle_doc`; a test
compares the two, so change the tables and make this page again. A pair that is not here is refused.
What the closure of a loan is: [closure.md](closure.md).

"""
LEGS = """
# Lifecycle of one leg

The journal has each move of a leg as a move `closure_leg_moved` of its closure.

"""


def page() -> str:
    """The whole page as Markdown."""
    closure = lifecycle_doc.page(HEAD, ClosureState, CLOSURE_MOVES, CLOSURE_FINAL)
    return closure + lifecycle_doc.page(LEGS, LegState, LEG_MOVES, LEG_OVER)


if __name__ == "__main__":
    sys.stdout.write(page())
