"""Roots that lie in one row each: locked by key, read whole, and written where they changed.

Loans are spread over several tables and cases are subjects; they have their own ways. A new kind
of root that is a body in one table is a row of `ROOTS`, a table, a field of `Scope`, `Aggregates`
and `Change` under its name, a property of `Workset`, and its place in `loading.load`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table

from adapters.sql import readrows, rows
from adapters.sql.schema import tables


@dataclass(frozen=True, slots=True)
class RootType:
    """A kind of root: its name in changes, its table and key, and how its row is made and read.

    `before_loans`: it is locked before any loan, and otherwise after them.
    """

    name: str
    table: Table
    key: str
    read: Callable[[str], Any]
    row: Callable[[Any], rows.Row]
    before_loans: bool = False


ROOTS = (
    RootType(
        "mandate_roots",
        tables.mandates,
        "ref",
        readrows.read_mandate,
        rows.mandate_row,
        before_loans=True,
    ),
    RootType("payments", tables.payments, "id", readrows.read_payment, rows.payment_row),
    RootType("lines", tables.lines, "id", readrows.read_line, rows.line_row),
    RootType("payouts", tables.payouts, "key", readrows.read_payout, rows.payout_row),
)
"""In the order in which they are locked."""
