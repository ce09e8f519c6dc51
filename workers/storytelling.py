"""A journal told in plain sentences: what happened, when, for how much, and what comes next."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from domain.money import decimal_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from domain.loan.aggregate import Installment, Loan
    from domain.loan.view import InstallmentView
    from ports.desk import StoryLine

_PART = re.compile(r"(Dr|Cr) (\S+) ([0-9.]+) ([A-Z]{3})")
_MOVED = re.compile(r"(?:order (\S+): )?(\S*) -> (\S+)(?: \((.*)\))?", re.DOTALL)

_ENTRIES = {
    "fell_due": "fell due: {owed} is owed",
    "penalty_accrued": "penalty of {owed} was added",
    "penalty_reversed": "penalty of {owed} was taken back",
    "confirmed": "the rail reports {clearing} taken{paid}",
    "settled": "the bank's statement proves {bank} on the account",
    "returned": "a debit of {clearing} was taken back{again}",
    "return_settled": "the bank's statement proves the return: {bank} left the account",
    "applied": "waiting money pays {owed}",
    "advanced": "{advance} is kept for later installments",
    "payment_recorded": "a payment of {clearing} is reported{paid}",
    "identified": "a bank line that waited proves {clearing}",
    "return_identified": "a bank line that waited proves that {clearing} went back",
    "match_undone": "a bank line proves {clearing} no more and waits",
    "withdrawn": "a reported payment of {clearing} was none{again}",
    "charged": "{owed} was charged besides the schedule",
    "waived": "{owed} was forgiven",
    "written_off": "{owed} was written off and stays collectable",
    "recovered": "money came in on what had been written off",
    "recovery_reversed": "money on what had been written off was taken back",
    "cancelled": "{owed} is no longer asked for",
}
_MOVES = {
    "boarded": "boarded",
    "reminder_queued": "a reminder is sent",
    "notice_delivered": "the reminder was delivered",
    "notice_failed": "the reminder did not arrive",
    "debit_intended": "a debit is ordered",
    "verdict_overdue": "the bank's verdict is overdue; it is asked",
    "attempt_ended_retryable": "the debit failed and will be tried again",
    "attempt_ended_finally": "the debit failed and a machine may not try again",
    "attempt_withdrawn": "the debit was not executed",
    "paid_in_full": "paid in full",
    "paid_in_part": "paid in part",
    "attempts_exhausted": "no attempt is left",
    "mandate_ended": "the authority to debit has ended",
    "due_date_changed": "the due date was changed",
    "retry_ordered": "another attempt was ordered",
    "receipts_settled": "every receipt is proven at the bank",
    "release_proven": "nothing more can be asked of the borrower: released",
    "evidence_complete": "the evidence is complete: closed",
    "match_undone": "a match with the bank was undone",
    "receipt_reversed_retryable": "the payment came back; it will be tried again",
    "receipt_reversed_finally": "the payment came back and a machine may not try again",
    "receipt_reversed": "a payment came back",
    "guarantor_paid": "the guarantor paid",
    "written_off": "written off",
    "recovered_in_full": "recovered in full",
    "cancelled": "cancelled",
    "penalty_capped": "the penalty stops at a cap",
    "held": "put on hold",
    "unheld": "the hold ended",
}
_COMMANDS = {
    "board_loan": "the loan was boarded",
    "queue_reminder": "a reminder was sent on its way",
    "record_outcome": "the rail says what changes nothing",
    "record_return": "the rail says again that a debit was taken back",
    "book_line": "a bank line says what is known",
    "record_notice_receipt": "the message provider reported on a reminder",
    "review": "the gates were looked at",
    "hold": "put on hold",
    "unhold": "the hold ended",
    "raise_operator": "a person is asked",
}
# Told by something else at the same moment, or of interest to the machine only.
_UNTOLD = frozenset({"held_direct", "fell_due_move", "roll_day", "renew_send", "intend_debit"})


def told(loan: Loan, lines: Iterable[StoryLine]) -> Iterator[str]:
    """Yield one sentence for each thing that happened, dated in the product's time zone."""
    zone = ZoneInfo(loan.product.timezone)
    for line in lines:
        sentence = sentence_of(line, loan.currency)
        if sentence:
            about = f"#{line.number} " if line.number is not None else ""
            yield f"{line.at.astimezone(zone):%Y-%m-%d %H:%M}  {about}{sentence}"


def sentence_of(line: StoryLine, currency: str) -> str:
    """One line of the journal in words; empty where another line says the same."""
    if line.what in _UNTOLD:
        return ""
    moved = _MOVED.fullmatch(line.detail)
    if moved is not None:
        return _move(line.what, moved, currency)
    if line.what in _ENTRIES and _PART.search(line.detail):
        return _entry(line)
    if line.detail.startswith("refused by"):
        rule = line.detail.removeprefix("refused by ").partition(":")[0]
        return f"{line.what.replace('_', ' ')} was refused by rule {rule}"
    text = _COMMANDS.get(line.what, line.what.replace("_", " "))
    return f"{text} ({line.detail})" if line.detail and len(line.detail) < 200 else text


def _move(what: str, moved: re.Match[str], currency: str) -> str:
    order, source, target, detail = moved.groups()
    if what == "sent_again":
        return f"order {order} was sent again"
    if target == "INTENDED" and detail:
        minor, _, why = detail.partition(" ")
        detail = f"{decimal_text(int(minor), currency)} {currency} {why}"
    if order is not None:
        return f"order {order}: {target.lower().replace('_', ' ')}{_in_brackets(detail)}"
    if what == "fell_due":
        return ""
    text = _MOVES.get(what, what.replace("_", " "))
    if what == "attempt_ended_retryable" and detail.startswith("paid in part"):
        text = "the debit paid a part; the rest will be tried again"
    shown = "" if source == target or target.islower() else f" [{target}]"
    return f"{text}{shown}{_in_brackets(detail)}"


def _in_brackets(detail: str | None) -> str:
    return f" ({detail})" if detail else ""


def _entry(line: StoryLine) -> str:
    """An entry's sentence, with the totals of its postings by kind of account."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    currency = ""
    for side, account, amount, currency in _PART.findall(line.detail):  # noqa: B007
        sums[account.partition("/")[0]] += Decimal(amount) * (1 if side == "Dr" else -1)
    amounts = {
        kind: f"{abs(sums[kind]):f} {currency}" for kind in ("owed", "clearing", "bank", "advance")
    }
    paid = f", {amounts['owed']} of what was owed is paid" if sums["owed"] else ""
    again = f"; {amounts['owed']} is owed again" if sums["owed"] else ""
    waiting = -sums["suspense"]
    if waiting > 0:
        paid += f", {waiting:f} {currency} waits"
    return _ENTRIES[line.what].format(**amounts, paid=paid, again=again)


def heading(loan: Loan) -> str:
    """What the loan is, without anything personal."""
    amount = decimal_text(loan.principal_minor, loan.currency)
    return (
        f"Loan {loan.id} ({loan.tenant}): {amount} {loan.currency} disbursed on "
        f"{loan.disbursed_on}, {len(loan.installments)} installments, product {loan.product.ref}"
    )


def standing(loan: Loan, item: Installment) -> str:
    """How one installment stands, in a line."""
    total = decimal_text(item.scheduled.total, loan.currency)
    owed = decimal_text(item.owed.total, loan.currency)
    tries = f", {len(item.attempts)} attempts" if item.attempts else ""
    return (
        f"#{item.number} due {item.due_on}: {total} {loan.currency}, "
        f"{item.state.value}, owed {owed}{tries}"
    )


def coming(loan: Loan, view: InstallmentView | None) -> str:
    """What comes next for an installment."""
    if view is None or view.is_final:
        return "nothing: the evidence is complete"
    if view.next_beat is not None:
        at = view.next_beat.not_before.astimezone(ZoneInfo(loan.product.timezone))
        what = view.next_beat.kind.value.lower()
        return f"{what} on {at:%Y-%m-%d %H:%M} ({view.next_beat.reason})"
    lacking = f"; missing: {', '.join(view.missing)}" if view.missing else ""
    return f"waiting for news{lacking}"
