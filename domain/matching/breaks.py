"""What a person is told of a line or expectation that is not matched: why, and what to do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from domain.matching.model import Pass
from domain.matching.result import Cause, LineResult, Status


class Remedy(StrEnum):
    """What is suggested; each is something that `acquit` can do, or that the bank is asked."""

    ACCEPT = "accept"
    """Accept the proposal: `acquit match accept LINE`."""
    FORCE = "force"
    """Say whose money it is: `acquit match force LINE`."""
    WAIT = "wait"
    """The rest is still to come."""
    ASK_BANK = "ask_bank"
    """Ask the bank or the rail."""
    REFUND = "refund"
    """Give it back: it is more than anybody owes."""
    MOVE = "move"
    """Have it moved to the account where it belongs."""


@dataclass(frozen=True, slots=True)
class Break:
    """A line that is not matched by itself: its status, why, what is suggested, in one sentence."""

    status: Status
    cause: Cause | None
    remedy: Remedy
    text: str


def break_of(result: LineResult) -> Break | None:
    """What a person is told of a line; None where it is matched and posted."""
    cause = result.cause
    if cause is None:
        if result.posts:
            return None
        return Break(result.status, None, Remedy.ACCEPT, _proposed(result))
    remedy, text = _told(cause, result)
    return Break(result.status, cause, remedy, text)


def _told(cause: Cause, result: LineResult) -> tuple[Remedy, str]:
    match cause:
        case Cause.AMOUNT_DIFFERS if result.status is Status.UNDER:
            return Remedy.WAIT, (
                "it shows less than what it names: the rest may come in another line, or was kept"
            )
        case Cause.AMOUNT_DIFFERS:
            return Remedy.ASK_BANK, "it shows more than what it names: the bank says what for"
        case Cause.ACCOUNTS_DIFFER:
            return Remedy.MOVE, "the sum is right and lies on other accounts than the split says"
        case Cause.COUNT_DIFFERS:
            return Remedy.ASK_BANK, "the sum of the batch is right and its number of orders is not"
        case Cause.SEVERAL_FIT:
            return Remedy.FORCE, "several expectations fit alike: a person says which is meant"
        case Cause.SEVERAL_LINES:
            return Remedy.FORCE, "several lines show the same money: a person says which is right"
        case Cause.SHOWN_BEFORE:
            return Remedy.REFUND, "another line shows what it names: it was paid twice"
        case Cause.UNKNOWN_REFERENCE:
            return Remedy.FORCE, "nobody expects money under its references: find whose it is"
        case Cause.NAMES_NOTHING:
            return Remedy.FORCE, "it has no reference: find whose money it is by its sender"
        case _:
            assert_never(cause)


BY_PASS = {
    Pass.END_TO_END: "by end-to-end id",
    Pass.BANK_REFERENCE: "by the bank's reference",
    Pass.MANDATE: "by mandate, day and amount",
    Pass.BATCH: "by count and sum of its batch",
    Pass.STRUCTURED: "by a reference in the payer's message",
    Pass.VIRTUAL_ACCOUNT: "by its virtual account",
    Pass.LOAN_REFERENCE: "by the reference of the loan",
    Pass.NEAR_MANDATE: "by mandate, day and amount as tolerated",
    Pass.NEAR_NAME: "by likeness of names, day and amount as tolerated",
}
"""How a match was found, in words."""


def _proposed(result: LineResult) -> str:
    how = BY_PASS[result.by] if result.by is not None else ""
    less = f", {result.fee_minor} minor units less than expected" if result.fee_minor else ""
    return f"a match {how}{less} is proposed: accept it, or say whose money it is"
