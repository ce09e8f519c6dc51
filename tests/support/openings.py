"""Openings of the small loan of three installments of 101.00, as a former system may state them."""

from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import HoldKind
from domain.loan.change import Change
from domain.loan.lifecycle import State
from domain.loan.opening import (
    Opening,
    OpeningAttempt,
    OpeningHold,
    OpeningPart,
    OpeningPayment,
)
from domain.loan.product import Product
from domain.pricing.amounts import Amounts
from tests.support import invariants
from tests.support.doors import Past
from tests.support.memory import PRODUCT, MemoryBooks, board, registering, with_shares
from tests.support.scene import Scene

APRIL = datetime(2026, 4, 20, 1, tzinfo=UTC)
"""The first two of three installments (10 March, April and May) are past."""
AS_OF = date(2026, 4, 19)
WHOLE = Amounts(10000, 100)


def paid(*parts: tuple[int, Amounts], **more: Any) -> OpeningPayment:
    """A payment of the former system, by installment."""
    placed = tuple(OpeningPart(number=number, amounts=amounts) for number, amounts in parts)
    return OpeningPayment(parts=placed, **more)


def held(number: int | None = None, **more: Any) -> OpeningHold:
    """A hold on everything of an installment, or of the loan."""
    values: dict[str, Any] = {"kind": HoldKind.ALL, "reason": "a dispute", "since": AS_OF, **more}
    return OpeningHold(number=number, **values)


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


SHARED = with_shares(
    PRODUCT,
    ("funder-1", Fraction(90, 100)),
    ("platform", Fraction(8, 100)),
    ("insurer", Fraction(2, 100)),
    remainder="funder-1",
)


def brought(
    said: Opening, product: Product = PRODUCT, past: Past = Past.REFUSE, at: datetime = APRIL
) -> Scene:
    """The books with the loan on them, everything that must hold at rest checked."""
    books = MemoryBooks(at=at, rules=registering(product))
    answer = books.apply(replace(board(product=product), opening=said, past=past))
    assert isinstance(answer, Change), answer
    invariants.check(books)
    return Scene(books)


def states(s: Scene) -> list[State]:
    """Where the installments stand."""
    return [item.state for item in s.books.loans["L1"].installments]


def balances(s: Scene) -> dict[str, int]:
    """Balances by account, those of single components left out."""
    return {k: v for k, v in s.books.balances().items() if not k.startswith("owed/")}
