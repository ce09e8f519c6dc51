"""Writes docs/case-lifecycle.md from the table of moves: `python -m domain.case.lifecycle_doc`."""

import sys

from domain.case.lifecycle import CASE_FINAL, CASE_MOVES, CaseState
from domain.kernel import lifecycle_doc

HEAD = """# Lifecycle of a case

Made from `domain/case/lifecycle.py` by `python -m domain.case.lifecycle_doc`; a test compares the
two, so change the table and make this page again. A pair that is not here is refused. What cases
are: [cases.md](cases.md).

"""


def page() -> str:
    """The whole page as Markdown."""
    return lifecycle_doc.page(HEAD, CaseState, CASE_MOVES, CASE_FINAL)


if __name__ == "__main__":
    sys.stdout.write(page())
