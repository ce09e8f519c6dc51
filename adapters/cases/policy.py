"""Reads the policy of cases from a TOML file: owners, clocks and chains, by kind of case.

    [usual]
    first_action_hours = 24
    resolution_hours = 120
    escalate_every_hours = 48
    chain = ["team-lead", "head-of-operations"]

    [kinds.unmatched_line]
    owner = "reconciliation"
    first_action_hours = 4
    announced = true

    [teams.treasury]
    chain = ["head-of-treasury"]

    [addresses]
    reconciliation = ["recon@lender.example"]

    [[thresholds]]
    name = "many-unmatched"
    of = "lines"
    measure = "count"
    at_least = 100
    action = "escalate"

What a kind does not say is as usual; what the file does not say is as in a build without one. What
rules can watch and measure: `domain.case.threshold`. A case that an order has transferred to a team
is handed up the chain of that team. A message about a case goes to the addresses of whoever it is
with, when it is opened (kinds that are `announced`), late, transferred, or handed up.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.inputfile import toml_tables
from adapters.refusals import SourceRefused
from domain.case.kinds import CaseKind
from domain.case.policy import ESCALATIONS_MOST, USUAL_POLICY, CasePolicy, ServiceLevel
from domain.case.threshold import (
    MEASURES,
    THRESHOLDS_MOST,
    Measure,
    Threshold,
    ThresholdAction,
    Waits,
)
from domain.errors import InvalidInput
from domain.kernel.order import AMOUNT_MOST
from domain.money import exponent
from domain.text import shortened

E = TypeVar("E", bound=StrEnum)
_FILE_MOST_BYTES = 64 * 1024
_SHOWN = 80
Hours = Annotated[int, Field(ge=1, le=24 * 366)]
Owner = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Address = Annotated[str, Field(pattern=r"^[^@\s<>,;]{1,64}@[A-Za-z0-9.-]{1,190}$")]
ADDRESSES_MOST, OWNERS_MOST = 10, 100
"""Addresses of one owner, and owners that have some."""


class _Level(BaseModel):
    """What one table says of clocks; None: as usual."""

    model_config = ConfigDict(extra="forbid", strict=True)

    first_action_hours: Hours | None = None
    resolution_hours: Hours | None = None
    escalate_every_hours: Hours | None = None
    chain: Annotated[list[Owner], Field(max_length=ESCALATIONS_MOST)] | None = None

    def over(self, usual: ServiceLevel) -> ServiceLevel:
        """The level that this table makes of the usual one."""
        return ServiceLevel(
            _hours(self.first_action_hours, usual.first_action),
            _hours(self.resolution_hours, usual.resolution),
            _hours(self.escalate_every_hours, usual.escalate_every),
            usual.chain if self.chain is None else tuple(self.chain),
        )


class _Kind(_Level):
    owner: Owner | None = None
    announced: bool = False


class _Team(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    chain: Annotated[list[Owner], Field(max_length=ESCALATIONS_MOST)]


class _Threshold(BaseModel):
    """One rule as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Owner
    of: str
    measure: str
    at_least: Annotated[int, Field(ge=1, le=AMOUNT_MOST)]
    kind: str = ""
    currency: str = ""
    action: str = ThresholdAction.NOTHING.value

    def rule(self, where: str) -> Threshold:
        """The rule.

        Raises:
            InvalidInput: what it watches cannot be measured so; names the field.
        """
        of = _member(Waits, f"{where}.of", self.of)
        measure = _member(Measure, f"{where}.measure", self.measure, MEASURES[of])
        action = _member(ThresholdAction, f"{where}.action", self.action)
        kind = _member(CaseKind, f"{where}.kind", self.kind) if self.kind else None
        if kind is not None and of is not Waits.CASES:
            raise InvalidInput(f"{where}.kind", self.kind, f"only where of is {Waits.CASES}")
        if kind is CaseKind.THRESHOLD:
            raise InvalidInput(f"{where}.kind", self.kind, "a kind that no rule opens")
        if measure is Measure.AMOUNT and not self.currency:
            raise InvalidInput(f"{where}.currency", "", "must be given for an amount")
        if self.currency and Measure.AMOUNT not in MEASURES[of]:
            raise InvalidInput(f"{where}.currency", self.currency, f"{of} hold no money")
        if self.currency:
            exponent(self.currency)
        return Threshold(self.name, of, measure, self.at_least, kind, self.currency, action)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    usual: _Level = _Level()
    kinds: dict[str, _Kind] = {}
    teams: Annotated[dict[Owner, _Team], Field(max_length=OWNERS_MOST)] = {}
    addresses: Annotated[
        dict[Owner, Annotated[list[Address], Field(min_length=1, max_length=ADDRESSES_MOST)]],
        Field(max_length=OWNERS_MOST),
    ] = {}
    thresholds: Annotated[list[_Threshold], Field(max_length=THRESHOLDS_MOST)] = []


def read_policy(path: Path) -> CasePolicy:
    """The policy in a file.

    Raises:
        SourceRefused: the file is none, or breaks rules: every fault by field, value and rule.
    """
    tables = toml_tables(path, _FILE_MOST_BYTES)
    try:
        read = _File.model_validate(tables)
    except ValidationError as error:
        raise SourceRefused(str(path), list(_faults(error))) from None
    known = set(CaseKind)
    if strange := [name for name in read.kinds if name not in known]:
        rule = f"one of {', '.join(CaseKind)}"
        raise SourceRefused(str(path), [InvalidInput("kinds", name, rule) for name in strange])
    usual = read.usual.over(USUAL_POLICY.usual)
    kinds = {CaseKind(name): table for name, table in read.kinds.items()}
    return CasePolicy(
        usual,
        {kind: table.over(usual) for kind, table in kinds.items()},
        {kind: table.owner for kind, table in kinds.items() if table.owner is not None},
        _thresholds(path, read.thresholds),
        {owner: tuple(found) for owner, found in read.addresses.items()},
        frozenset(kind for kind, table in kinds.items() if table.announced),
        {team: tuple(table.chain) for team, table in read.teams.items()},
    )


def _thresholds(path: Path, written: Sequence[_Threshold]) -> dict[str, Threshold]:
    """The rules by name; every one that is wrong is named."""
    rules: dict[str, Threshold] = {}
    faults: list[InvalidInput] = []
    for number, one in enumerate(written):
        where = f"thresholds.{number}"
        try:
            rule = one.rule(where)
        except InvalidInput as fault:
            faults.append(InvalidInput(_inside(where, fault.field), fault.value, fault.rule))
            continue
        if rule.name in rules:
            faults.append(InvalidInput(f"{where}.name", rule.name, "named once"))
        rules[rule.name] = rule
    if faults:
        raise SourceRefused(str(path), faults)
    return rules


def _inside(where: str, field: str) -> str:
    return field if field.startswith(where) else f"{where}.{field}"


def _member(of: type[E], field: str, value: str, allowed: Collection[E] | None = None) -> E:
    """The member that a text names, if it is among those that are allowed."""
    members = [one for one in of if allowed is None or one in allowed]
    if value not in members:
        raise InvalidInput(field, shortened(value, _SHOWN), f"one of {', '.join(members)}")
    return of(value)


def _hours(hours: int | None, usual: timedelta) -> timedelta:
    return usual if hours is None else timedelta(hours=hours)


def _faults(error: ValidationError) -> Iterator[InvalidInput]:
    for fault in error.errors(include_url=False, include_context=False):
        field = ".".join(map(str, fault["loc"]))
        unknown = fault["type"] == "extra_forbidden"
        value: Any = "(not shown)" if unknown else shortened(str(fault["input"]), _SHOWN)
        message = fault["msg"]
        yield InvalidInput(field, value, "no such field" if unknown else _plain(message))


def _plain(message: str) -> str:
    return message.removeprefix("Input should be ").removeprefix("String should ")
