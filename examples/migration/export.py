"""Plays a former system: exports seven loans in progress as a tape, with its history.

`python examples/migration/export.py FOLDER` writes `portfolio.csv` and `portfolio_history.csv`. It
is as of yesterday, and the loans that are not late fall due a few days later, so that whoever
follows docs/migration.md sees a debit in the first week. It uses the standard library alone.
"""

import csv
import sys
from datetime import date, timedelta
from pathlib import Path

LAST_DAY = 28
"""The last day that every month has."""
AS_OF = date.today() - timedelta(days=1)  # noqa: DTZ011 - the day of the machine it runs on
SOON = (AS_OF + timedelta(days=ahead) for ahead in range(2, 6))
NEXT_DUE = next(day for day in SOON if day.day <= LAST_DAY)
HEAD = {"as_of": AS_OF.isoformat(), "holder": "oldbank", "evidence": f"export of {AS_OF}"}
TERMS = {"product": "us-personal", "annual_rate": "12", "currency": "USD"}


def month(day: date, months: int) -> date:
    """The same day so many months later, at most the 28th."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, min(day.day, LAST_DAY))


def loan(name: str, principal: str, periods: int, paid: int, **more: str) -> dict[str, str]:
    """A loan of which so many installments have fallen due and were paid."""
    due = month(NEXT_DUE, 0)
    row = {
        "loan_id": f"MIG-{name}",
        "principal": principal,
        "periods": str(periods),
        "disbursed_on": month(due, -paid - 1).isoformat(),
        "first_due_on": month(due, -paid).isoformat(),
        **TERMS,
        **HEAD,
        **more,
    }
    if paid and "paid_through" not in row:
        row["paid_through"] = month(due, -1).isoformat()
    return row


def portfolio() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """The rows of the tape, and those of its history."""
    due = month(NEXT_DUE, 0)
    late, later = month(due, -1).isoformat(), month(due, -2).isoformat()
    prepaid = {"paid_principal": "1500", "paid_interest": "148.02", "balance": "3500"}
    lost = {"paid_principal": "125.00", "paid_interest": "15.90", "balance": "0"}
    lost |= {"written_off_on": HEAD["as_of"], "written_off_principal": "675.00"}
    rows = [
        loan("current", "1200", 12, 5),
        loan("prepaid", "5000", 24, 3, **prepaid),
        loan("late", "900", 6, 3, paid_through=later, penalty_accrued="1.35"),
        loan("lost", "800", 12, 2, **lost),
        loan("done", "600", 3, 3, paid_through=late),
        loan("ahead", "1200", 12, 5, advance="50.00", advance_ref="OLD-ADVANCE-1"),
        loan("tried", "1000", 4, 2, past="owed", paid_through=later),
    ]
    return rows, tried(rows[-1]["loan_id"], due)


def tried(loan_id: str, due: date) -> list[dict[str, str]]:
    """A loan whose schedule was agreed otherwise, and whose second installment was declined."""
    days = [month(due, months).isoformat() for months in (-2, -1, 0, 1)]
    amounts = {"principal": "250", "interest": "9"}
    first, second = ({"installment": number, "on": days[int(number) - 1]} for number in "12")
    told = [
        *(
            {"installment": str(n), "event": "scheduled", "on": day, **amounts}
            for n, day in enumerate(days, start=1)
        ),
        {**first, "event": "attempt", "amount": "259", "order_no": "OLD-1", "outcome": "confirmed"},
        {**first, "event": "paid", "order_no": "OLD-1", **amounts},
        {
            **second,
            "event": "attempt",
            "amount": "259",
            "order_no": "OLD-2",
            "outcome": "declined",
            "code": "64",
        },
    ]
    return [{"loan_id": loan_id, **row} for row in told]


def control(rows: list[dict[str, str]]) -> dict[str, str]:
    """What the former system's own reports show: nothing here is summed over the export."""
    return {
        "loan_id": "TOTAL:USD",
        "loans": str(len(rows)),
        "principal": "10700",
        "paid_principal": "3734.36",
        "paid_interest": "302.38",
        "written_off_principal": "675.00",
        "balance": "6290.64",
        "penalty_accrued": "1.35",
        "advance": "50.00",
    }


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows under all the columns that one of them has."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows, history = portfolio()
    write(folder / "portfolio.csv", [*rows, control(rows)])
    write(folder / "portfolio_history.csv", history)
    print(f"{len(rows)} loans as of {AS_OF} in {folder}")


if __name__ == "__main__":
    main()
