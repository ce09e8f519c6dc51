"""Writes docs/lifecycle.md from the table of moves: `python -m domain.loan.lifecycle_doc`."""

import sys

from domain.kernel import lifecycle_doc
from domain.loan.lifecycle import FINAL, TRANSITIONS, State

HEAD = """# Lifecycle of an installment

Made from `domain/loan/lifecycle.py` by `python -m domain.loan.lifecycle_doc`; a test compares the
two, so change the table and make this page again. A pair that is not here is refused. Why the table
differs from the first draft: [decision 0020](decisions/0020-corrections-to-the-table-of-moves.md).

"""


def page() -> str:
    """The whole page as Markdown."""
    return lifecycle_doc.page(HEAD, State, TRANSITIONS, FINAL)


if __name__ == "__main__":
    sys.stdout.write(page())
