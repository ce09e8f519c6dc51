"""What a kind of rail is: what its table in the settings holds, and how a rail of it is opened.

A kind is one folder here and one row in `adapters/rails/kinds.py`. An installation may have several
rails of one kind, each with a name of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from adapters.rails.http import Watch
from domain.debit.codes import CodeRow, CodeTable, RetryLimit
from domain.debit.outcome import OutcomeClass
from domain.debit.rail import RailProfile
from ports.payoutchannel import PayoutChannel
from ports.rail import Rail
from ports.statementsource import StatementSource


@dataclass(frozen=True, slots=True)
class RailLogin:
    """Where one rail is, who we are there, and the secrets that we share with it.

    Attributes:
        name: of the rail in this installation.
        addresses: base addresses by the names that the kind gives them.
        secrets: by the names that the kind gives them; none of them is empty.
    """

    name: str
    merchant_id: str
    addresses: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


Opener: TypeAlias = Callable[
    [RailLogin, Callable[[], datetime], Watch], AbstractAsyncContextManager[Rail]
]
"""Opens a rail for the length of a block: its login, the clock of the books, a watch over calls."""


SourcesOpener: TypeAlias = Callable[
    [RailLogin, Sequence[str], Callable[[], datetime], Watch],
    AbstractAsyncContextManager[Mapping[str, StatementSource]],
]
"""Opens, for the length of a block, the statement sources of bank accounts, by account."""


ChannelOpener: TypeAlias = Callable[
    [RailLogin, Callable[[], datetime], Watch], AbstractAsyncContextManager[PayoutChannel]
]
"""Opens, for the length of a block, the channel of payouts of the bank that a rail settles on."""


@dataclass(frozen=True, slots=True)
class RailKind:
    """A program interface of a provider, and what holds for every rail that speaks it.

    Attributes:
        profile: what such a rail can do; its name is that of the kind.
        limits: rules of schemes and regulators about presenting again.
        codes: what the codes of its answers mean.
        returns: what the reasons of returns mean.
        addresses: the base addresses that a rail's table gives; the first is where orders go.
        secrets: the secrets that a rail's table names a file for, as `<secret>_file`.
        words: parts of its paths that may stand in a trace; everything else there is a reference.
        simulated: whether it plays with money that does not exist.
        open: makes the rail.
        sources: makes the statement sources of accounts at the bank that the rail settles on.
        pays: makes the channel of payouts from those accounts; None: it has none.
    """

    profile: RailProfile
    limits: tuple[RetryLimit, ...]
    codes: CodeTable
    returns: CodeTable
    addresses: tuple[str, ...]
    secrets: tuple[str, ...]
    words: frozenset[str]
    simulated: bool
    open: Opener
    sources: SourcesOpener
    pays: ChannelOpener | None = None

    def class_of(self, code: str, returned: bool) -> OutcomeClass:  # noqa: FBT001
        """The class of a code of an answer, or of the reason of a return."""
        return (self.returns if returned else self.codes).lookup(code).outcome_class

    def nearest(self, code: str, returned: bool) -> tuple[CodeRow, ...]:  # noqa: FBT001
        """The codes of answers, or the reasons of returns, that are most like an unknown one."""
        return (self.returns if returned else self.codes).nearest(code)

    def profile_of(self, name: str) -> RailProfile:
        """The profile of the rail of this name."""
        return replace(self.profile, name=name)
