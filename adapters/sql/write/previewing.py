"""Decides an order without writing it, and applies one only if it does what a preview showed."""

from collections.abc import Mapping
from dataclasses import replace

from adapters.sql.write.deciding import Domain
from domain.access.preview import Preview, preview_of
from domain.kernel.change import Refusal
from domain.kernel.command import Command
from domain.loan.change import Aggregates, Change
from ports.previews import PreviewChanged


def as_previewed(domain: Domain, expected: Mapping[str, str]) -> Domain:
    """The domain, in which commands of these ids must do what previews of these digests showed.

    The decision is made under the locks of its group, so nothing comes between the comparison and
    what is written.
    """
    if not expected:
        return domain

    def decide(aggregates: Aggregates, command: Command) -> Change | Refusal:
        decided = domain.decide(aggregates, command)
        wanted = expected.get(command.id)
        if wanted is not None and isinstance(decided, Change):
            found = preview_of(decided)
            if found.digest() != wanted:
                raise PreviewChanged(command.id, found)
        return decided

    return replace(domain, decide=decide)


def watched(domain: Domain, seen: dict[str, Preview]) -> Domain:
    """The domain; previews of what it decides are put into `seen`, by the ids of commands."""

    def decide(aggregates: Aggregates, command: Command) -> Change | Refusal:
        decided = domain.decide(aggregates, command)
        if isinstance(decided, Change):
            seen[command.id] = preview_of(decided)
        return decided

    return replace(domain, decide=decide)
