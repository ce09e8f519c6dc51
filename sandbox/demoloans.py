"""Loans for a demonstration: made from a seed, or the first rows of a tape moved to today."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

from adapters.calendars import load_calendar
from adapters.tapes.files.mapping import CANONICAL_MAP, read_map
from adapters.tapes.files.rows import Row
from adapters.tapes.loan.loans import BoardingRules, Shift, loan_of
from adapters.tapes.report.tape import TapeReport, read_tape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from adapters.products.translate import ProductFile
    from domain.loan.boarding import BoardLoan

PRODUCT = "cn-personal"
FIRST_DUE_AFTER = timedelta(days=12)
DUE_DAYS = 3
"""On how many days of the month due dates fall, as in a lender's billing cycles."""
DAYS_BETWEEN = 10


def made_loans(
    count: int, months: int, seed: int, today: date, products: Mapping[str, ProductFile]
) -> list[BoardLoan]:
    """`count` personal loans over `months` months; the same seed gives the same loans."""
    chance = random.Random(seed)  # noqa: S311 - seeded on purpose
    rules = BoardingRules(CANONICAL_MAP, products, load_calendar)
    loans = []
    for number in range(1, count + 1):
        first = today + FIRST_DUE_AFTER + timedelta(days=DAYS_BETWEEN * (number % DUE_DAYS))
        values = {
            "tenant": "demo",
            "loan_id": f"D{seed:03d}-{number:05d}",
            "borrower": f"b-{seed}-{number}",
            "product": PRODUCT,
            "principal": str(chance.randrange(30, 600) * 100),
            "annual_rate": str(chance.choice((6, 8, 10, 12, 15, 18))),
            "periods": str(months),
            "disbursed_on": (today - timedelta(days=20)).isoformat(),
            "first_due_on": first.isoformat(),
            "mandate_ref": f"M-{seed:03d}-{number:05d}",
            "account_token": f"acct-{seed}-{number}",
        }
        loans.append(loan_of(Row(number, values, values), number - 1, rules).command)
    return loans


def tape_loans(
    tape: Path,
    map_file: Path | None,
    *,
    limit: int,
    months: int,
    today: date,
    products: Mapping[str, ProductFile],
) -> TapeReport:
    """The first loans of a tape, cut to `months` and moved so that they fall due from now on."""
    return read_tape(
        tape,
        CANONICAL_MAP if map_file is None else read_map(map_file),
        products,
        load_calendar,
        limit=limit,
        months=months,
        shift=Shift(today + FIRST_DUE_AFTER, spread_days=DUE_DAYS * DAYS_BETWEEN),
    )
