"""By when a case is to be taken and ended, and who learns of it when it is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from domain.case.case import Case
from domain.case.kinds import CASE_RULES, CaseKind
from domain.case.threshold import Threshold

ESCALATIONS_MOST = 9
"""Longest chain of owners that a case can be handed up."""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """The clocks of a case, counted from its opening.

    Attributes:
        first_action: until somebody takes it, notes something or puts it aside.
        resolution: until it is ended.
        chain: owners to whom it is handed, one after the other, while it is not ended: the first
            when `resolution` has passed, each further one after `escalate_every` more.
    """

    first_action: timedelta = timedelta(hours=24)
    resolution: timedelta = timedelta(days=5)
    escalate_every: timedelta = timedelta(days=2)
    chain: tuple[str, ...] = ("team-lead", "head-of-operations")


@dataclass(frozen=True, slots=True)
class CasePolicy:
    """The service level of each kind of case, and its owner where it is not the usual one.

    Attributes:
        thresholds: rules that open cases, by name.
        addresses: e-mail addresses of owners who are sent messages about their cases.
        announced: kinds of which each case is announced to its owner when it is opened.
        chains: by team, to whom cases are handed up that an order has transferred to it; of a team
            that is not here, as of the kind.
    """

    usual: ServiceLevel = ServiceLevel()
    levels: Mapping[CaseKind, ServiceLevel] = field(default_factory=dict)
    owners: Mapping[CaseKind, str] = field(default_factory=dict)
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    announced: frozenset[CaseKind] = frozenset()
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def level(self, kind: CaseKind) -> ServiceLevel:
        """The service level of a kind."""
        return self.levels.get(kind, self.usual)

    def owner(self, kind: CaseKind) -> str:
        """The team in whose queue a case of this kind is opened."""
        return self.owners.get(kind, CASE_RULES[kind].owner)

    def chain(self, case: Case) -> tuple[str, ...]:
        """The owners to whom a case is handed up, in turn."""
        return self.chains.get(case.team, self.level(case.kind).chain)

    def next_of_chain(self, case: Case) -> str:
        """The owner to whom a case goes next; empty: its chain has ended."""
        chain = self.chain(case)
        step = case.escalation - case.chain_from
        return chain[step] if step < len(chain) else ""

    @property
    def teams(self) -> tuple[str, ...]:
        """Every team that can have a case, by name."""
        levels = (self.usual, *self.levels.values())
        chains = (*(level.chain for level in levels), *self.chains.values())
        named = {self.owner(kind) for kind in CASE_RULES} | {
            rule.owner for rule in CASE_RULES.values()
        }
        named |= set(self.addresses) | set(self.chains)
        return tuple(sorted(named.union(*chains)))


_NONE: Mapping[Any, Any] = MappingProxyType({})
USUAL_POLICY = CasePolicy(
    levels=_NONE, owners=_NONE, thresholds=_NONE, addresses=_NONE, chains=_NONE
)
"""Where no policy file says otherwise."""
