"""Writes docs/payout-lifecycle.md from the table: `python -m domain.payout.lifecycle_doc`."""

import sys

from domain.kernel import lifecycle_doc
from domain.payout.lifecycle import PAYOUT_FINAL, PAYOUT_MOVES, PayoutState

HEAD = """# Lifecycle of a payout

Made from `domain/payout/lifecycle.py` by `python -m domain.payout.lifecycle_doc`; a test compares
the two, so change the table and make this page again. A pair that is not here is refused. What
payouts are: [payouts.md](payouts.md).

"""


def page() -> str:
    """The whole page as Markdown."""
    return lifecycle_doc.page(HEAD, PayoutState, PAYOUT_MOVES, PAYOUT_FINAL)


if __name__ == "__main__":
    sys.stdout.write(page())
