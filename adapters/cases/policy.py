"""Reads the policy of cases from a TOML file: owners, clocks and chains, by kind of case.

    [usual]
    first_action_hours = 24
    resolution_hours = 120
    escalate_every_hours = 48
    chain = ["team-lead", "head-of-operations"]

    [kinds.unmatched_line]
    owner = "reconciliation"
    first_action_hours = 4

What a kind does not say is as usual; what the file does not say is as in a build without one.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.inputfile import toml_tables
from adapters.refusals import SourceRefused
from domain.case.kinds import CaseKind
from domain.case.policy import ESCALATIONS_MOST, USUAL_POLICY, CasePolicy, ServiceLevel
from domain.errors import InvalidInput
from domain.text import shortened

_FILE_MOST_BYTES = 64 * 1024
_SHOWN = 80
Hours = Annotated[int, Field(ge=1, le=24 * 366)]
Owner = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]


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


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    usual: _Level = _Level()
    kinds: dict[str, _Kind] = {}


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
    )


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
