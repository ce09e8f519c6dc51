"""Schedule lines as the rows that commands print: decimal strings under agreed names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.money import decimal_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.pricing.schedule import ScheduleLine


def rows_of(lines: Sequence[ScheduleLine], currency: str) -> list[dict[str, object]]:
    """One row for each line: number, due_on, days, principal, interest, total, balance."""
    return [
        {
            "number": line.number,
            "due_on": line.due_on.isoformat(),
            "days": line.days,
            "principal": decimal_text(line.principal, currency),
            "interest": decimal_text(line.interest, currency),
            "total": decimal_text(line.total, currency),
            "balance": decimal_text(line.balance, currency),
        }
        for line in lines
    ]
