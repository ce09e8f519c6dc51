"""Openings of the small loan of three installments of 101.00, as a former system may state them."""

from datetime import UTC, date, datetime
from typing import Any

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.opening import Opening, OpeningAttempt, OpeningPart, OpeningPayment
from domain.pricing.amounts import Amounts

APRIL = datetime(2026, 4, 20, 1, tzinfo=UTC)
"""The first two of three installments (10 March, April and May) are past."""
AS_OF = date(2026, 4, 19)
WHOLE = Amounts(10000, 100)


def paid(*parts: tuple[int, Amounts], **more: Any) -> OpeningPayment:
    """A payment of the former system, by installment."""
    placed = tuple(OpeningPart(number=number, amounts=amounts) for number, amounts in parts)
    return OpeningPayment(parts=placed, **more)


def ordered(number: int = 1, order_no: str = "OLD-1", **more: Any) -> OpeningAttempt:
    """A debit of the former system that was declined for lack of funds, unless said otherwise."""
    values: dict[str, Any] = {
        "mandate_ref": "M-L1",
        "value_on": date(2026, 3, 10) if number == 1 else date(2026, 4, 10),
        "amount_minor": 10100,
        "state": AttemptState.DECLINED,
        "outcome_class": OutcomeClass.NSF,
        "code": "51",
        **more,
    }
    return OpeningAttempt(number=number, order_no=order_no, **values)


def opening(**more: Any) -> Opening:
    """An opening as of the day before boarding."""
    return Opening(**{"as_of": AS_OF, "holder": "oldbank", "evidence": "export 7", **more})
