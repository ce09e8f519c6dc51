"""Tapes of loans in progress for tests, written row by row, with a control row that agrees.

The loan that rows begin with is 1,200.00 over 12 months at 12 % of actual days: its first four
installments ask for 100.00 each and 12.40, 10.27, 10.33 and 9.00 of interest, 42.00 in all.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.tapes.files.columns import CANONICAL
from adapters.tapes.files.history import COLUMNS
from adapters.tapes.files.mapping import CANONICAL_MAP, TapeMap
from adapters.tapes.report.tape import TapeReport, read_tape
from domain.loan.opening import Opening
from workers.rails import classes_of, rails_of
from workers.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = read_products(ROOT / "examples" / "products")
NEW: Mapping[str, str] = {
    "loan_id": "L-1",
    "principal": "1200",
    "annual_rate": "12",
    "periods": "12",
    "disbursed_on": "2026-01-10",
    "first_due_on": "2026-02-10",
    "product": "cn-business",
}
LOAN: Mapping[str, str] = {
    **NEW,
    "as_of": "2026-05-20",
    "holder": "old-bank",
    "evidence": "list 7",
}
PAID: Mapping[str, str] = {**LOAN, "paid_through": "2026-05-10"}
"""Four installments of it are paid."""
_SUMMED = frozenset(
    name
    for name in CANONICAL
    if name.startswith(("paid_", "waived_", "written_off_"))
    or name in {"principal", "balance", "penalty_accrued", "advance", "unplaced"}
) - {"paid_through", "written_off_on"}


def control(rows: Sequence[Mapping[str, str]], currency: str = "CNY") -> dict[str, str]:
    """The control row of these rows, which all are of one currency and can be read."""
    columns = sorted({name for row in rows for name in row} & _SUMMED)
    sums = {name: sum(Decimal(row.get(name) or "0") for row in rows) for name in columns}
    return {
        "loan_id": f"TOTAL:{currency}",
        "loans": str(len(rows)),
        **{name: str(total) for name, total in sums.items()},
    }


def event(event: str, installment: int | str = 1, **values: str) -> dict[str, str]:
    """One row of a history of the loan."""
    return {"loan_id": "L-1", "installment": str(installment), "event": event, **values}


def read_openings(
    folder: Path,
    *rows: Mapping[str, str],
    history: Sequence[Mapping[str, str]] = (),
    totals: Sequence[Mapping[str, str]] | None = None,
    tape_map: TapeMap = CANONICAL_MAP,
    **options: Any,
) -> TapeReport:
    """Read a tape of these rows and a history of these events.

    Unless `totals` are given there is a control row that states what the loans bring.
    """
    tape, events = folder / "tape.csv", folder / "history.csv"
    if history:
        _write(events, history, COLUMNS)
        options["history"] = events

    def read(totals: Sequence[Mapping[str, str]]) -> TapeReport:
        _write(tape, (*rows, *totals))
        return read_tape(tape, tape_map, PRODUCTS, load_calendar, **options)

    if totals is not None:
        return read(totals)
    stated = control(rows)
    first = read((stated,))
    off = [fault for fault in first.faults if fault.rule.startswith("the rows sum to ")]
    if not off:
        return first
    return read(({**stated, **{fault.field: fault.rule.split()[4] for fault in off}},))


def read_files(folder: Path, tape: str, history: str, **options: Any) -> TapeReport:
    """Read the texts of a tape and of its history."""
    paths = folder / "given.csv", folder / "given_history.csv"
    for path, text in zip(paths, (tape, history), strict=True):
        path.write_text(text, encoding="utf-8")
    return read_tape(paths[0], CANONICAL_MAP, PRODUCTS, load_calendar, history=paths[1], **options)


def _write(path: Path, rows: Sequence[Mapping[str, str]], known: Sequence[str] = CANONICAL) -> None:
    used = {name for row in rows for name in row}
    columns = [*(name for name in known if name in used), *sorted(used - set(known))]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


INTEREST = ("12.40", "10.27", "10.33", "9")


PAID_ROWS = [
    event("paid", number, principal="100", interest=interest)
    for number, interest in enumerate(INTEREST, start=1)
]


CLASS_OF = classes_of(rails_of(Settings(), None))


Read = Callable[..., TapeReport]


def opening_of(report: TapeReport) -> Opening:
    (command,) = report.rows
    assert command.opening is not None
    return command.opening


TRIED = {"on": "2026-02-10", "amount": "112.40", "order_no": "A1", "outcome": "confirmed"}


TAKEN = [event("attempt", **TRIED), event("paid", order_no="A1", on="2026-02-10", principal="100")]
