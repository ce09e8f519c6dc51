"""Which controls over the statements of one account fail now: each is a case, or part of one.

All is judged anew from what is known, so the order in which files come does not matter: a case is
open as long as its control fails, and what comes later may end it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from domain.statement.broken import StatementBreak
from domain.statement.neighbours import Read, as_known, place_of
from domain.statement.statement import Fault, FaultRule, Statement

NEAR = 40
"""Statements on either side, in order of days, that one statement is compared with."""


@dataclass(frozen=True, slots=True)
class Known:
    """A statement that is known: what was read of it, and what does not add up in itself."""

    read: Read
    own: tuple[Fault, ...] = ()

    @property
    def subject(self) -> str:
        """Account, id and period: by these a statement is known."""
        return statement_subject(self.read.head)


@dataclass(frozen=True, slots=True)
class Failing:
    """A control that fails: the kind of its case, what it is about, and why.

    `currency`: of the statement, whose amounts are in it.
    """

    what: StatementBreak
    subject: str
    faults: tuple[Fault, ...]
    currency: str = ""

    @property
    def key(self) -> str:
        """The key of its case."""
        return f"{self.what.value}/{self.subject}"


def statement_subject(head: Statement) -> str:
    """How cases name a statement: `account/id/first day/last day`."""
    period = "" if head.period is None else "/".join(day.isoformat() for day in head.period)
    return f"{head.account}/{head.id}/{period}"


def balances_subject(account: str) -> str:
    """How the case names an account whose statements state no balances; there is one for it."""
    return f"{account}/balances"


def case_of(rule: FaultRule) -> StatementBreak:
    """The kind of the case that a broken rule is."""
    match rule:
        case (
            FaultRule.SEQUENCE_GAP
            | FaultRule.SEQUENCE_REPEATED
            | FaultRule.PAGE_MISSING
            | FaultRule.CHAIN_BROKEN
        ):
            return StatementBreak.GAP
        case (
            FaultRule.OPENING_MISSING
            | FaultRule.CLOSING_MISSING
            | FaultRule.BALANCE_DIFFERS
            | FaultRule.SUMMARY_COUNT_DIFFERS
            | FaultRule.SUMMARY_SUM_DIFFERS
            | FaultRule.OTHER_CURRENCY
            | FaultRule.ITEMS_DIFFER
            | FaultRule.BATCH_COUNT_DIFFERS
        ):
            return StatementBreak.UNBALANCED
        case FaultRule.RESTATED | FaultRule.KNOWN_LINES:
            return StatementBreak.RESTATED
        case _:
            assert_never(rule)


_UNSTATED = frozenset({FaultRule.OPENING_MISSING, FaultRule.CLOSING_MISSING})
JUDGED = (StatementBreak.GAP, StatementBreak.UNBALANCED)
"""The kinds of cases that are judged here."""


class Controls:
    """The controls over all statements that are known of one account."""

    def __init__(self, account: str, known: Sequence[Known]) -> None:
        self._account = account
        self._known = sorted(known, key=lambda one: place_of(one.read.head))

    def looked_at(self, named: Collection[str], keys: Collection[str]) -> tuple[Known, ...]:
        """The statements that are to be judged.

        Args:
            named: subjects of statements that have just come; those near them are judged too,
                since what comes may be what they lacked.
            keys: of open cases; their statements are judged wherever they stand.
        """
        places = [n for n, one in enumerate(self._known) if one.subject in named]
        first, last = min(places, default=0) - NEAR, max(places, default=-NEAR - 1) + NEAR
        return tuple(
            one
            for n, one in enumerate(self._known)
            if first <= n <= last or any(key in keys for key in _keys(one))
        )

    def possible(self, judged: Sequence[Known]) -> frozenset[str]:
        """The keys of all cases that judging these statements may open or end."""
        whole = f"{StatementBreak.UNBALANCED.value}/{balances_subject(self._account)}"
        return frozenset({whole, *(key for one in judged for key in _keys(one))})

    def failing(self, judged: Sequence[Known]) -> Iterator[Failing]:
        """Yield every control that fails for these statements, and the one for the account."""
        places = {one.subject: n for n, one in enumerate(self._known)}
        for one in judged:
            place = places[one.subject]
            near = self._known[max(place - NEAR, 0) : place + NEAR + 1]
            faults = (*one.own, *as_known(one.read, [other.read for other in near]))
            for what in JUDGED:
                found = tuple(
                    fault
                    for fault in dict.fromkeys(faults)
                    if case_of(fault.rule) is what and fault.rule not in _UNSTATED
                )
                if found:
                    yield Failing(what, one.subject, found, one.read.head.currency)
        if (lacks := self._unstated()) is not None:
            subject = balances_subject(self._account)
            yield Failing(StatementBreak.UNBALANCED, subject, (lacks,))

    def _unstated(self) -> Fault | None:
        """The fault of an account whose latest statement states no opening or closing balance."""
        if not self._known:
            return None
        latest = self._known[-1].read.head
        pages = [one for one in self._known if one.read.head.whole_id == latest.whole_id]
        rules = {fault.rule for one in pages[-NEAR:] for fault in one.own}
        lacks = [rule for rule in FaultRule if rule in _UNSTATED and rule in rules]
        return Fault(lacks[0], self._account) if lacks else None


def _keys(one: Known) -> tuple[str, ...]:
    return tuple(f"{what.value}/{one.subject}" for what in JUDGED)
