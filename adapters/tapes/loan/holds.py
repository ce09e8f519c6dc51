"""What a tape, its history or an application says of a hold: its kind, its reason and its day."""

from collections.abc import Mapping
from datetime import date

from adapters.tapes.files.fields import bounded_text, given
from domain.errors import InvalidInput
from domain.loan.aggregate import HoldKind
from domain.loan.opening import OpeningHold
from domain.loan.openingrules import HOLD_REASON_MOST
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
