"""What a tape, its history or an application says of holds, and of bars of mandates."""

from collections.abc import Iterable, Mapping
from datetime import date

from adapters.tapes.files.fields import bounded_text, given
from domain.debit.mandate import Bar
from domain.debit.outcome import OutcomeClass
from domain.errors import InvalidInput
from domain.loan.aggregate import HoldKind
from domain.loan.opening import OpeningHold
from domain.loan.openingrules import HOLD_REASON_MOST, check_bars
from domain.text import plain


def hold_of(
    values: Mapping[str, str],
    kind: str,
    reason: str,
    since: date | None,
    number: int | None = None,
) -> OpeningHold:
    """A hold, by the columns of its kind and its reason; on an installment, or on the loan.

    Raises:
        InvalidInput: one of them lacks, or is none.
    """
    word = given(values, kind)
    if word not in list(HoldKind):
        raise InvalidInput(kind, word, ", ".join(HoldKind))
    if not plain(given(values, reason), reason).strip():
        raise InvalidInput(reason, None, "must be given")
    text = bounded_text(values, reason, HOLD_REASON_MOST)
    return OpeningHold(number=number, kind=HoldKind(word), reason=text, since=since)


NO_CODE = "-"
"""In place of the code of a bar that has none."""
_WORDS = 3


def bars_of(values: Mapping[str, str]) -> tuple[Bar, ...]:
    """Why the mandate of a loan is barred: of each bar class, code and order, as three words.

    Raises:
        InvalidInput: the words are others.
    """
    words = plain(values.get("barred_by", ""), "barred_by").split()
    classes = words[::_WORDS]
    if len(words) % _WORDS or not set(classes) <= set(OutcomeClass):
        rule = f"class, code (or {NO_CODE}) and order of each bar, as words"
        raise InvalidInput("barred_by", values["barred_by"], rule)
    bars = tuple(
        Bar(OutcomeClass(name), "" if code == NO_CODE else code, order_no)
        for name, code, order_no in zip(classes, words[1::_WORDS], words[2::_WORDS], strict=True)
    )
    check_bars(bars)
    return bars


def bars_text(bars: Iterable[Bar]) -> str:
    """Bars as `bars_of` reads them."""
    return " ".join(f"{bar.outcome_class} {bar.code or NO_CODE} {bar.order_no}" for bar in bars)
