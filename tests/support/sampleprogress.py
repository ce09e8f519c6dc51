"""Makes a tape of loans in progress from the sample of real loans with their paid figures.

The sample states for each loan what had been paid by 10 July 2018 and whether it was late then. The
tape has the same amounts, rates and terms; its days are moved so that the cut-over lies a few days
before `today`, each as far from the others as in the sample.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

from domain.pricing.daycount import add_months

PRODUCT = "us-personal"
HOLDER = "former-platform"
EVIDENCE = "balances of 10 July 2018"
DUE_AFTER = timedelta(days=5)
"""From the cut-over to the next due date: in the sample, the 10th and the 15th of July."""
_SAMPLED = 2018 * 12 + 7
_LAST_ANCHOR_DAY = 28
_CENT = Decimal("0.01")
# Months from the newest due date that had passed to the newest one that was surely paid. In grace
# or 16 to 30 days late: only the newest was not; 31 to 120 days: that before it was not either.
_UNPAID = {
    "Current": 0,
    "Fully Paid": 0,
    "In Grace Period": 1,
    "Late (16-30 days)": 1,
    "Late (31-120 days)": 2,
    "Charged Off": 2,
}
_ENDED = frozenset({"Fully Paid", "Charged Off"})
_COLUMNS = (
    "loan_id",
    "principal",
    "annual_rate",
    "periods",
    "disbursed_on",
    "product",
    "currency",
    "installment",
    "as_of",
    "holder",
    "evidence",
    "paid_through",
    "paid_principal",
    "paid_interest",
    "paid_penalty",
    "balance",
    "written_off_on",
    "written_off_principal",
    "loans",
)
_SUMMED = (
    "principal",
    "installment",
    "paid_principal",
    "paid_interest",
    "paid_penalty",
    "balance",
    "written_off_principal",
)


@dataclass(frozen=True, slots=True)
class ProgressTape:
    """A tape that was made: its cut-over, the next regular due date, and its sums as text."""

    as_of: date
    next_due_on: date
    loans: int
    sums: Mapping[str, str]


def write_progress(
    source: Path, target: Path, *, today: date, limit: int | None = None
) -> ProgressTape:
    """Write the tape of the first `limit` loans of the sample, with its control row."""
    due_on = next_due(today)
    sums: Counter[str] = Counter()
    loans = 0
    with (
        source.open(encoding="utf-8", newline="") as read,
        target.open("w", encoding="utf-8", newline="") as written,
    ):
        tape = csv.DictWriter(written, _COLUMNS, lineterminator="\n")
        tape.writeheader()
        for loan in islice(csv.DictReader(read), limit):
            row = progress_row(loan, due_on)
            loans += 1
            for name in _SUMMED:
                sums[name] += int(Decimal(row.get(name) or 0) / _CENT)
            tape.writerow(row)
        total = {name: str(minor * _CENT) for name, minor in sums.items()}
        tape.writerow({"loan_id": "TOTAL:USD", **total, "loans": loans})
    return ProgressTape(due_on - DUE_AFTER, due_on, loans, total)


def next_due(today: date) -> date:
    """The next due date of the loans that are not late, on a day that every month has."""
    days: Iterator[date] = (today + timedelta(days=ahead) for ahead in range(1, 5))
    return next(day for day in days if day.day <= _LAST_ANCHOR_DAY)


def progress_row(loan: Mapping[str, str], due_on: date) -> dict[str, str]:
    """One loan of the sample as a row of the tape; `due_on` stands for 15 July 2018.

    A loan of which fewer installments were paid than months have passed, though its status calls it
    less late, was lent a month or more later: its first due date lay beyond the end of its month.
    """
    year, month = (int(part) for part in loan["issue_month"].split("-"))
    passed, status = _SAMPLED - year * 12 - month, loan["loan_status"]
    unpaid = _UNPAID[status]
    closed = _closed(loan, passed - 1 - unpaid)
    if status not in _ENDED:
        passed = closed + 1 + unpaid
    lent_on, as_of = add_months(due_on, -passed), due_on - DUE_AFTER
    paid = {name: _cents(loan[name]) for name in ("paid_principal", "paid_interest")}
    row = {
        "loan_id": loan["loan_id"],
        "principal": loan["loan_amount"],
        "annual_rate": loan["interest_rate"],
        "periods": loan["term"],
        "disbursed_on": lent_on.isoformat(),
        "product": PRODUCT,
        "currency": "USD",
        "installment": loan["installment"],
        "as_of": as_of.isoformat(),
        "holder": HOLDER,
        "evidence": EVIDENCE,
        "balance": str(_cents(loan["balance"])),
        **{name: str(value) for name, value in paid.items()},
        "paid_penalty": str(_cents(loan["paid_late_fees"])),
    }
    if closed:
        row["paid_through"] = add_months(lent_on, closed).isoformat()
    if status == "Charged Off":
        row["written_off_on"] = as_of.isoformat()
        lost = _cents(loan["loan_amount"]) - paid["paid_principal"]
        row["written_off_principal"] = str(lost)
    return row


def _closed(loan: Mapping[str, str], most: int) -> int:
    """How many installments were paid: as the status says, but not more than the money reaches."""
    paid = Decimal(loan["paid_principal"]) + Decimal(loan["paid_interest"])
    if not paid:
        return 0
    reached = round(paid / Decimal(loan["installment"]))
    return max(1, min(most, reached))


def _cents(text: str) -> Decimal:
    return Decimal(text).quantize(_CENT)
