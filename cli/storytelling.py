"""Turns the journal into sentences: who did what and when, what it changed, what comes next."""

from __future__ import annotations

import re
from collections import defaultdict
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from domain.case.commands import CASE_ORDERS
from domain.loan.commands import ORDERS
from domain.loan.lifecycle import State
from domain.loan.mandates import MANDATE_ORDERS
from domain.money import decimal_text
from workers.reporting import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from domain.case.case import Case
    from domain.loan.aggregate import Installment, Loan
    from domain.loan.view import InstallmentView
    from ports.queries import StoryLine

_PART = re.compile(r"(Dr|Cr) (\S+) ([0-9.]+) ([A-Z]{3})")
_MOVED = re.compile(r"(?:order (\S+): )?(\S*) -> (\S+)(?: \((.*)\))?", re.DOTALL)

_AMOUNT = re.compile(r"\d+(?:\.\d+)?(?= [A-Z]{3}\b)")
_PLAIN = re.compile(
    r"(#\d+ )?(penalty of \S+ [A-Z]{3} was added|nothing (new|changed).*)", re.DOTALL
)
"""Effects that a machine repeats for weeks: a run of them is reported once."""

_ENTRIES = {
    "fell_due": "fell due: {owed} is owed",
    "penalty_accrued": "penalty of {owed} was added",
    "penalty_reversed": "penalty of {owed} was taken back",
    "confirmed": "the rail reports {clearing} taken{paid}",
    "confirmed_late": "{clearing} came by an order that had ended already{paid}",
    "raised": "the order took {clearing} more than was reported first{paid}",
    "settled": "the bank's statement proves {bank} on the account",
    "returned": "a debit of {clearing} was taken back{again}",
    "return_settled": "the bank's statement proves the return: {bank} left the account",
    "applied": "waiting money pays {owed}",
    "unapplied": "money that had paid {owed} waits again",
    "advanced": "{advance} is kept for later installments",
    "payment_recorded": "a payment of {clearing} is reported{paid}",
    "identified": "a bank line that waited proves {clearing}",
    "return_identified": "a bank line that waited proves that {clearing} went back",
    "match_undone": "a bank line proves {clearing} no more and waits",
    "return_undone": "{clearing} was not taken back after all",
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
    "notice_unanswered": "nobody has said whether the reminder arrived",
    "debit_intended": "a debit is ordered",
    "order_found": "an order that had ended may have been executed after all; the rail is asked",
    "outcome_overdue": "the outcome is not known; the rail is asked",
    "attempt_ended_retryable": "the debit failed and will be tried again",
    "attempt_ended_finally": "the debit failed and a machine may not try again",
    "attempt_withdrawn": "the debit was not executed",
    "retry_withdrawn": "the debit did not leave; it will be tried again",
    "mandate_applied": "the terms of the mandate have changed",
    "paid_in_full": "paid in full",
    "paid_in_part": "paid in part",
    "attempts_exhausted": "no attempt is left",
    "mandate_ended": "the authority to debit has ended",
    "due_date_changed": "the due date was changed",
    "retry_ordered": "another attempt was ordered",
    "payments_settled": "every payment is proven at the bank",
    "release_proven": "nothing more can be asked of the borrower: released",
    "evidence_complete": "the evidence is complete: closed",
    "match_undone": "a match with the bank was undone",
    "payment_reversed_retryable": "the payment came back; it will be tried again",
    "payment_reversed_finally": "the payment came back and a machine may not try again",
    "payment_reversed": "a payment came back",
    "guarantor_paid": "the guarantor paid",
    "written_off": "written off",
    "recovered_in_full": "recovered in full",
    "cancelled": "cancelled",
    "penalty_capped": "the penalty stops at a cap",
    "held": "put on hold",
    "case_opened": "a case was opened",
    "case_amended": "a case says another amount",
    "case_assigned": "a case was given to a person",
    "case_noted": "a case was noted",
    "case_wait_ordered": "a case was put aside",
    "case_wait_ended": "a case that was put aside is due again",
    "case_wait_ended_assigned": "a case that was put aside is due again",
    "case_reminded": "nobody had taken a case; its team was reminded",
    "case_escalated": "a case had not ended; it was handed up",
    "case_resolved": "a case ended",
    "case_reopened": "a case was opened again",
    "unheld": "the hold ended",
}
_IN_PART = {
    "attempt_ended_retryable": "the debit took a part; the rest will be tried again",
    "attempt_ended_finally": "the debit took a part; a machine may not try the rest again",
}
_COMMANDS = {
    "board_loan": "loan boarded",
    "roll_day": "a new day began",
    "queue_reminder": "reminder queued",
    "intend_debit": "debit ordered",
    "renew_send": "debit order sent again",
    "record_outcome": "the rail reported an outcome",
    "record_unsent": "the debit order did not leave",
    "record_return": "the rail reported a return",
    "record_unparsed_event": "the rail reported what cannot be parsed",
    "record_delivery_report": "the message provider reported",
    "book_line": "bank line booked",
    "review": "evidence reviewed",
    **{kind: order.story for kind, order in ORDERS.items()},
    **{kind: order.story for kind, order in CASE_ORDERS.items()},
    **{kind: order.story for kind, order in MANDATE_ORDERS.items()},
    "record_filed": "the debit order was put in a file",
    "record_mandate_ended": "the rail reported the end of the mandate",
    "act_on_case": "the clock of a case",
    "raise_operator": "a person was asked",
}
_SILENT = frozenset({"direct_settlement"})
"""Entries that repeat what another line of the same command says."""
_DULL = frozenset({"roll_day", "review", "intend_debit", "renew_send"})
"""Commands of the machine that are left out when they changed nothing."""
_MACHINE = frozenset({"workflow", "system"})
_ASKED = {"answer": "the rail's answer", "inquiry": "the rail was asked"}
"""What an outcome is that nobody reported, by the second part of its command's id."""
_LACKS = {
    "not_due": "its due date",
    "owed": "money that is still owed",
    "live_attempt": "the outcome of a debit",
    "waiting": "money that waits to be applied",
    "unproven": "a bank line that proves the money",
    "return_window": "the end of the return window",
    "hold": "the end of the hold",
    "case": "the end of a case",
    "held": "a share on its payee's own account",
    "remittance": "a share that is sent on to its payee",
}
"""What `domain.loan.closure` finds lacking, by its codes."""


def runs(every: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield events, those in a row that differ in nothing but time and amount as one.

    Such a run says from when to when, how often, and the sum of its amounts.
    """
    for _, group in groupby(enumerate(every), key=lambda item: _alike(*item)):
        members = [event for _, event in group]
        first, last = members[0], members[-1]
        if len(members) == 1:
            yield first
            continue
        effects = [
            _sum_of([event["effects"][place] for event in members])
            for place in range(len(first["effects"]))
        ]
        yield {
            **first,
            "at": f"{first['at']} to {last['at']}",
            "what": f"{first['what']}, {len(members)} times",
            "effects": effects,
        }


def _alike(place: int, event: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the events of a run have in common; an event that is never in a run stands alone."""
    is_machine = event["actor"].partition("/")[0] in _MACHINE
    if not is_machine or not all(_PLAIN.fullmatch(text) for text in event["effects"]):
        return (place,)
    shapes = tuple(_AMOUNT.sub("", text) for text in event["effects"])
    return (event["what"], event["number"], event["actor"], shapes)


def _sum_of(alike: Sequence[str]) -> str:
    """A sentence for many that differ in one amount at most."""
    amounts = [Decimal(found[0]) for text in alike if (found := _AMOUNT.search(text))]
    return _AMOUNT.sub(f"{sum(amounts):f}", alike[0]) + (" in all" if amounts else "")


def event_lines(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line that says when, what and who; then an indented line for each effect."""
    about = f"#{event['number']} " if event["number"] is not None else ""
    yield f"{event['at']}  {about}{event['what']}{_by(event)}"
    for effect in event["effects"]:
        yield f"    {effect}"


def events(loan: Loan, lines: Iterable[StoryLine]) -> Iterator[dict[str, Any]]:
    """Yield a structure for each command that did something worth showing, in order.

    `at` is text in the product's time zone with its offset; `effects` are sentences.
    """
    zone = ZoneInfo(loan.product.timezone)
    for _, group in groupby(lines, key=lambda line: line.command_id or line.seq):
        members = list(group)
        first = members[0]
        kind = first.what if first.is_command else first.command
        effects = [text for line in members if (text := _effect(line, members, loan.currency))]
        if not effects and kind in _DULL:
            continue
        numbers = {line.number for line in members}
        yield {
            "at": instant_text(first.at, zone),
            "number": first.number if len(numbers) == 1 else None,
            "what": _named(kind, first.command_id),
            "actor": first.actor,
            "approver": first.approver,
            "reason": first.reason,
            "command": kind,
            "command_id": first.command_id,
            "effects": effects or ["nothing changed"],
        }


def _named(kind: str, command_id: str) -> str:
    """What a command is called; an outcome by whether the rail reported, answered or was asked."""
    run = command_id.split("/")[2:3] if kind == "record_outcome" else []
    if run and command_id.startswith("outcome/") and run[0] in _ASKED:
        return _ASKED[run[0]]
    return _COMMANDS.get(kind, kind.replace("_", " ") or "entry")


def _by(event: Mapping[str, Any]) -> str:
    """Who, approved by whom, under which id and why; the machine's own ids are left out."""
    text = f", by {event['actor']}"
    if event["approver"]:
        text += f", approved by {event['approver']}"
    if event["actor"].partition("/")[0] in _MACHINE:
        return text
    reason = f": {event['reason']}" if event["reason"] else ""
    return f"{text} (id {event['command_id']}){reason}"


def _effect(line: StoryLine, group: Sequence[StoryLine], currency: str) -> str:
    """An effect's sentence, led by its installment where a command touched several."""
    sentence = sentence_of(line, currency)
    if not sentence or line.number is None or len({member.number for member in group}) == 1:
        return sentence
    return f"#{line.number} {sentence}"


def sentence_of(line: StoryLine, currency: str) -> str:
    """One effect in words; empty where another line says the same."""
    if line.what in _SILENT:
        return ""
    moved = _MOVED.fullmatch(line.detail)
    if moved is not None:
        return _move(line.what, moved, currency)
    if line.what in _ENTRIES and _PART.search(line.detail):
        return _entry(line)
    if line.detail.startswith("refused by"):
        return f"refused by rule {line.detail.removeprefix('refused by ')}"
    if line.is_command:
        return _nothing_new(line)
    text = line.what.replace("_", " ")
    return f"{text} ({line.detail})" if line.detail and len(line.detail) < 200 else text


def _nothing_new(line: StoryLine) -> str:
    """What a report said that changed nothing; empty of other commands."""
    if not line.what.startswith("record_") or not line.detail:
        return ""
    return f"nothing new: {line.detail.replace('_', ' ')}{_in_brackets(line.reason)}"


def _move(what: str, moved: re.Match[str], currency: str) -> str:
    order, source, target, detail = moved.groups()
    if what == "sent_again":
        return f"order {order} was sent again"
    if what == "put_in_file":
        return f"order {order} was put in file {detail}"
    if target == "INTENDED" and detail:
        minor, _, why = detail.partition(" ")
        detail = f"{decimal_text(int(minor), currency)} {currency} {why}".strip()
    if order is not None:
        return f"order {order}: {target.lower().replace('_', ' ')}{_in_brackets(detail)}"
    if what == "fell_due":
        return ""
    text = _MOVES.get(what, what.replace("_", " "))
    if what in _IN_PART and detail.startswith("paid in part"):
        text = _IN_PART[what]
    plain = source == target or target.islower() or what.startswith("case_")
    shown = "" if plain else f" [{target}]"
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
    text = _ENTRIES[line.what].format(**amounts, paid=paid, again=again)
    named = [f"payment {name}" for name in line.payments]
    named += [f"bank line {name}" for name in line.lines]
    return f"{text} ({', '.join(named)})" if named else text


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
    count = len(item.attempts)
    tries = f", {count} attempt{'s' if count > 1 else ''}" if count else ""
    return (
        f"#{item.number} due {item.due_on}: {total} {loan.currency}, "
        f"{item.state.value}, owed {owed}{tries}"
    )


def coming(loan: Loan, view: InstallmentView | None) -> str:
    """What comes next for an installment."""
    if view is not None and view.state == State.CANCELLED:
        return "nothing: it is cancelled"
    if view is None or view.is_final:
        return "nothing: the evidence is complete"
    if view.next_action is not None:
        at = instant_text(view.next_action.not_before, ZoneInfo(loan.product.timezone))
        return f"{view.next_action.kind.lower()} at {at} ({view.next_action.reason})"
    lacks = ", ".join(
        f"{_LACKS[code]} ({code})" if code in _LACKS else code for code in view.missing
    )
    return f"waiting for news{f'; missing: {lacks}' if lacks else ''}"


def waiting(case: Case, zone: ZoneInfo) -> str:
    """What an open case is about, how much of which money, and since when it waits."""
    much = since = ""
    if case.amount_minor:
        much = f", {decimal_text(case.amount_minor, case.currency)} {case.currency}"
    if case.opened_at is not None:
        since = f", since {instant_text(case.opened_at, zone)}"
    return f"{case.kind}{much}{since}: {case.text}"
