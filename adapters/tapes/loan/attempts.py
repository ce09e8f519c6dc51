"""Reads a debit that another system ordered, as a row of a history tells of it."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from adapters.tapes.files.fields import amount, given, name_of, whole_day
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass, OutcomeStatus, status_of
from domain.errors import InvalidInput
from domain.loan.opening import OpeningAttempt

OUTCOMES: Mapping[str, AttemptState] = {
    "confirmed": AttemptState.CONFIRMED,
    "declined": AttemptState.DECLINED,
    "returned": AttemptState.RETURNED,
    "pending": AttemptState.ACCEPTED,
    "unknown": AttemptState.UNKNOWN,
    "not_executed": AttemptState.NOT_EXECUTED,
    "recalled": AttemptState.RECALLED,
}
"""Where an attempt stands, by the word of the file."""
PLAN_COUNTS, PLAN_PAST = "counts", "past"
"""Words of an attempt that the retry plan counts, and of one that it counts no more."""
_T = TypeVar("_T")
ClassOf = Callable[[str, bool], OutcomeClass]
"""The class of a rail's code; whether it is the reason of a return."""


def attempt_of(
    number: int, values: Mapping[str, str], mandate_ref: str, currency: str, class_of: ClassOf
) -> OpeningAttempt:
    """A debit of an installment; made under `mandate_ref` unless it names another mandate.

    Raises:
        InvalidInput: a column breaks a rule.
    """
    word = given(values, "outcome")
    if word not in OUTCOMES:
        raise InvalidInput("outcome", word, ", ".join(OUTCOMES))
    return OpeningAttempt(
        number=number,
        order_no=given(values, "order_no"),
        mandate_ref=name_of(values, "mandate_ref", mandate_ref),
        value_on=whole_day(given(values, "on"), "on"),
        amount_minor=amount(given(values, "amount"), currency, "amount"),
        state=OUTCOMES[word],
        outcome_class=_class(OUTCOMES[word], values, class_of),
        code=name_of(values, "code") if "code" in values else "",
        is_cleared=_word(values, "cleared", {"yes": True, "no": False}, default=False),
        counts=_word(values, "plan", {PLAN_COUNTS: True, PLAN_PAST: False}, default=None),
    )


def _class(
    state: AttemptState, values: Mapping[str, str], class_of: ClassOf
) -> OutcomeClass | None:
    """What became of it in our words: as given, else why it failed, by the rail's code."""
    failed = state in {AttemptState.DECLINED, AttemptState.RETURNED}
    returned = state is AttemptState.RETURNED
    code, word = values.get("code"), values.get("outcome_class")
    if word is not None and word not in list(OutcomeClass):
        raise InvalidInput("outcome_class", word, ", ".join(OutcomeClass))
    if word is None and not failed:
        return None
    if word is not None:
        found = OutcomeClass(word)
    elif code is not None:
        found = class_of(code, returned)
    else:
        found = OutcomeClass.LATE_RETURN if returned else OutcomeClass.DECLINED
    if failed and status_of(found) in {OutcomeStatus.CONFIRMED, OutcomeStatus.PENDING}:
        name = "code" if word is None else "outcome_class"
        raise InvalidInput(name, code or word, f"that of a failure; it means {found}")
    return found


def _word(values: Mapping[str, str], name: str, words: Mapping[str, _T], *, default: _T) -> _T:
    """What one of two words in a column means."""
    if name not in values:
        return default
    if (text := values[name]) not in words:
        raise InvalidInput(name, text, " or ".join(words))
    return words[text]
