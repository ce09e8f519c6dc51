"""Every command with its handler, and every kind of subject; the only file that knows all nouns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any

from domain.case import decide as of_cases
from domain.case.agenda import CaseAction
from domain.case.case import CASE
from domain.case.commands import CASE_ORDERS, AnyCaseOrder, NoteCase
from domain.case.commands import fields_of as name_case
from domain.case.lifecycle import CASE_FINAL, CASE_MOVES, CaseState
from domain.case.notice import CASE_NOTICE
from domain.case.view import CaseDetail
from domain.case.words import CASE_WORDS
from domain.errors import InvariantBroken
from domain.kernel.change import Done, Refusal, Superseded
from domain.kernel.command import Command
from domain.kernel.driver import OPEN, WAKE, DrivenBy
from domain.kernel.message import Topic
from domain.kernel.order import OperatorOrder
from domain.kernel.subject import Subject
from domain.kernel.words import Words
from domain.loan import decide as of_loans
from domain.loan.change import Aggregates, Change, Ordered
from domain.loan.commands import ORDERS, RaiseOperator
from domain.loan.commands import Order as LoanOrder
from domain.loan.lifecycle import FINAL, TRANSITIONS, State
from domain.loan.notice import NOTICE
from domain.loan.view import INSTALLMENT, ActionKind, InstallmentDetail, fields_of
from domain.loan.words import INSTALLMENT_WORDS
from domain.loanclosure.agenda import ClosureAction
from domain.loanclosure.closure import LOAN_CLOSURE, LegOrdered
from domain.loanclosure.commands import CLOSURE_ORDERS, AnyClosureOrder, RaiseClosure
from domain.loanclosure.decide import HANDLERS as OF_CLOSURES
from domain.loanclosure.lifecycle import CLOSURE_FINAL, CLOSURE_MOVES, ClosureState
from domain.loanclosure.view import ClosureDetail
from domain.loanclosure.view import fields_of as name_closure
from domain.loanclosure.words import CLOSURE_WORDS
from domain.payout import HANDLERS as OF_PAYOUTS
from domain.payout.agenda import PayoutAction
from domain.payout.commands import PAYOUT_ORDERS, AnyPayoutOrder, RaisePayout
from domain.payout.lifecycle import PAYOUT_FINAL, PAYOUT_MOVES, PayoutState
from domain.payout.payout import PAYOUT, PayoutOrdered
from domain.payout.view import PayoutDetail
from domain.payout.view import fields_of as name_payout
from domain.payout.words import PAYOUT_WORDS

Decide = Callable[[Aggregates, Any], Change | Refusal]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of subject: its states and moves, what its driver may be asked, who drives it.

    Attributes:
        moves: the lifecycle table, (state, event) to state.
        final: states in which nothing is left to do.
        actions: kinds of actions that its agenda asks for.
        orders: what operators may order about it, by kind of order.
        raise_operator: the command by which its driver asks for a person.
        driven_by: who performs its actions, as long as nothing opens a driver for it.
        detail: the type of what only its views have.
        named: the fields by which commands about one of the kind name it.
        words: says what changes and what is, for stories and for the Temporal UI.
    """

    name: str
    states: type[StrEnum]
    moves: Mapping[tuple[Any, Any], StrEnum]
    final: frozenset[Any]
    actions: frozenset[str]
    orders: Mapping[str, type[OperatorOrder]]
    raise_operator: type[Command]
    driven_by: DrivenBy
    detail: type[Any]
    named: Callable[[Subject], Mapping[str, object]]
    words: Words


HANDLERS: Mapping[type[Command], Decide] = MappingProxyType(
    {
        **dict.fromkeys(of_loans.HANDLERS, of_loans.decide),
        **{of: partial(of_loans.work_on, handler) for of, handler in of_cases.HANDLERS.items()},
        **{of: partial(of_loans.work_on, handler) for of, handler in OF_PAYOUTS.items()},
        **{of: partial(of_loans.work_on, handler) for of, handler in OF_CLOSURES.items()},
    }
)
"""Who decides a command: its noun. A test proves that every command has exactly one."""

AnyAnswer = Done | Superseded | Ordered | PayoutOrdered | LegOrdered
"""Every answer that a command can be given, by its kind."""
Order = LoanOrder | AnyCaseOrder | AnyPayoutOrder | AnyClosureOrder
"""Every order of operators and upstream, whatever it is about."""
_KINDS = (
    Kind(
        name=INSTALLMENT,
        states=State,
        moves=TRANSITIONS,
        final=FINAL,
        actions=frozenset(ActionKind),
        orders=ORDERS,
        raise_operator=RaiseOperator,
        driven_by=DrivenBy.WORKFLOW,
        detail=InstallmentDetail,
        named=fields_of,
        words=INSTALLMENT_WORDS,
    ),
    Kind(
        name=CASE,
        states=CaseState,
        moves=CASE_MOVES,
        final=CASE_FINAL,
        actions=frozenset(CaseAction),
        orders=CASE_ORDERS,
        raise_operator=NoteCase,
        driven_by=DrivenBy.SWEEP,
        detail=CaseDetail,
        named=name_case,
        words=CASE_WORDS,
    ),
    Kind(
        name=PAYOUT,
        states=PayoutState,
        moves=PAYOUT_MOVES,
        final=PAYOUT_FINAL,
        actions=frozenset(PayoutAction),
        orders=PAYOUT_ORDERS,
        raise_operator=RaisePayout,
        driven_by=DrivenBy.WORKFLOW,
        detail=PayoutDetail,
        named=name_payout,
        words=PAYOUT_WORDS,
    ),
    Kind(
        name=LOAN_CLOSURE,
        states=ClosureState,
        moves=CLOSURE_MOVES,
        final=CLOSURE_FINAL,
        actions=frozenset(ClosureAction),
        orders=CLOSURE_ORDERS,
        raise_operator=RaiseClosure,
        driven_by=DrivenBy.WORKFLOW,
        detail=ClosureDetail,
        named=name_closure,
        words=CLOSURE_WORDS,
    ),
)
TOPICS: Mapping[str, Topic[Any]] = MappingProxyType(
    {topic.name: topic for topic in (OPEN, WAKE, NOTICE, CASE_NOTICE)}
)
"""Every topic of the outbox by its name."""
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every kind of subject by its name."""


def decide(aggregates: Aggregates, command: Command) -> Change | Refusal:
    """What a command changes. Evidence always gives a change; orders may be refused.

    Raises:
        InvariantBroken: no noun decides commands of this type.
    """
    handler = HANDLERS.get(type(command))
    if handler is None:
        raise InvariantBroken(f"nobody decides {type(command).__name__}")
    return handler(aggregates, command)
