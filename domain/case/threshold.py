"""Rules that open a case by themselves: too much of something waits, or for too long."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar, Literal, assert_never

from domain.case.case import CASE
from domain.case.kinds import CaseKind
from domain.kernel.command import Command, Scope
from domain.kernel.subject import Subject
from domain.money import amount_text

THRESHOLDS_MOST = 100
"""Rules that one policy can hold."""
_KEY = "threshold/"


def threshold_key(name: str) -> str:
    """The key of the case of a rule."""
    return f"{_KEY}{name}"


def threshold_of(key: str) -> str:
    """The name of the rule that a case is of, by the key of the case."""
    return key.removeprefix(_KEY)


class Waits(StrEnum):
    """What a rule watches."""

    CASES = "cases"
    """Open cases, of one kind or of any."""
    LINES = "lines"
    """Bank lines of which nothing, or not all, is explained: money in `suspense/line`."""
    SUSPENSE = "suspense"
    """Payments that are known and not applied."""
    CLEARING = "clearing"
    """Payments that are reported and not proven by a bank line."""
    IN_DOUBT = "in_doubt"
    """Debits of which nobody knows whether they were executed."""
    MESSAGES = "messages"
    """Messages of the outbox that are due and not delivered."""
    PAID_NOT_CLOSED = "paid_not_closed"
    """Installments that are paid and not closed: something is not proven, or not done."""
    DELINQUENT = "delinquent"
    """Installments that are owed and that no debit is tried for any more."""
    DEAD_LETTERS = "dead_letters"
    """Messages of the outbox that are not tried any more, and about which nobody has decided."""
    FILES = "files"
    """Statement files that are kept and not read to their end."""


class Measure(StrEnum):
    """What of it a rule looks at."""

    COUNT = "count"
    AMOUNT = "amount"
    """The sum in one currency, minor units, without signs."""
    AGE = "age_hours"
    """Whole hours for which the oldest has waited."""


class ThresholdAction(StrEnum):
    """What happens, besides the case, when a rule is broken."""

    NOTHING = "nothing"
    ESCALATE = "escalate"
    """The case goes at once to the first of the chain of owners."""
    NOTIFY = "notify"
    """Its owner is sent a message at once, by the outbox."""


MEASURES: Mapping[Waits, frozenset[Measure]] = MappingProxyType(
    {
        **dict.fromkeys(Waits, frozenset(Measure)),
        **dict.fromkeys(
            (Waits.MESSAGES, Waits.DEAD_LETTERS, Waits.FILES),
            frozenset({Measure.COUNT, Measure.AGE}),
        ),
    }
)
"""What can be measured of each; messages and files hold no money."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A rule: a case is open as long as a figure is at `at_least` or above.

    Attributes:
        name: names the rule and its case for ever.
        kind: of `Waits.CASES`, the kind of cases that is counted; None: any but this one.
        currency: of `Measure.AMOUNT`, which money is summed; of others, what is counted.
    """

    name: str
    of: Waits
    measure: Measure
    at_least: int
    kind: CaseKind | None = None
    currency: str = ""
    action: ThresholdAction = ThresholdAction.NOTHING

    @property
    def case(self) -> str:
        """The key of its case."""
        return threshold_key(self.name)

    def is_broken(self, value: int) -> bool:
        """Whether a figure breaks the rule."""
        return value >= self.at_least

    def words(self, value: int) -> str:
        """A figure beside the limit, in words."""
        of = f"{self.of} of kind {self.kind}" if self.kind else self.of.value
        return f"{of}: {self.measure} {self._figure(value)}, limit {self._figure(self.at_least)}"

    def _figure(self, value: int) -> str:
        return amount_text(value, self.currency) if self.measure is Measure.AMOUNT else str(value)


@dataclass(frozen=True, slots=True)
class Figure:
    """How much waits: how many, their amounts added up without signs, and the oldest since when."""

    count: int = 0
    amount_minor: int = 0
    since: datetime | None = None

    def value(self, measure: Measure, now: datetime) -> int:
        """What a measure makes of it."""
        match measure:
            case Measure.COUNT:
                return self.count
            case Measure.AMOUNT:
                return self.amount_minor
            case Measure.AGE:
                return 0 if self.since is None else max(now - self.since, _NONE) // _HOUR
            case _:
                assert_never(measure)


_NONE, _HOUR = timedelta(), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFigure(Command):
    """What a sweep has counted for a rule, by its name; a rule that is gone is not broken."""

    evidence: ClassVar[bool] = True

    kind: Literal["record_figure"] = "record_figure"
    threshold: str
    value: int

    @property
    def case(self) -> str:
        """The key of the rule's case."""
        return threshold_key(self.threshold)

    def scope(self) -> Scope:
        """The case of the rule."""
        return Scope(cases=(self.case,))

    def about(self) -> Subject:
        """The case of the rule."""
        return Subject(CASE, self.case)
