"""What a decision looks at and what it changes: values that the books write in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.case.case import Case
from domain.case.item import CaseItem
from domain.debit.attempt import DebitOrder
from domain.debit.mandate import MandateRoot
from domain.kernel.change import Answer, LetterFate, Transition
from domain.kernel.message import Letter, Message
from domain.kernel.subject import Subject
from domain.ledger.entry import Entry
from domain.loan.aggregate import LineState, Loan, Rulebook
from domain.loan.payables import Key
from domain.payment.payment import Payment
from domain.payout.items import ItemSum
from domain.payout.payout import Payout
from domain.payout.standing import Standing


@dataclass(frozen=True, slots=True)
class Ordered(Answer):
    """A debit was intended, or its lease renewed: send exactly this, until `send_until`."""

    order: DebitOrder
    kind: Literal["ordered"] = "ordered"


@dataclass(frozen=True, slots=True)
class Aggregates:
    """All that a decision may look at. `at` is stamped at the door (UTC).

    `mandate_roots` are the mandates that the command names, `under_mandates` the loans under each,
    or with orders that were made under it.
    `orders`, `messages` and `batches` say which loan holds each reference, `waiting` which lines
    carry it unmatched, in no order; references that nobody holds are absent. `payments` are those
    of the orders, mandates, batches and payers' references that the command names. `cases` are
    the open cases of the loans and lines, by key, `other_cases` all others that are known: whoever
    opens a case of such a key opens it again, or finds it open.
    `groups` says how many cases each named group of lines of one file has been given so far, and
    `items` are the lines that are items of cases. `letters` are the messages of the outbox that the
    command names, by number; one that is not there is absent.
    `named_mandates`, `named_accounts` and `named_payers`: the mandates whose loans, and the
    accounts and payers whose mandates, were looked up; None where the books are here as a whole.
    `payouts` are those that the command names, by key. `taken` says what the items come to that the
    books have set aside for a payout that is requested, `standings` what lies on the account of
    one that is to be instructed, each by the payout's key. `taken_items` says of some payable items
    what is in payouts that their loans have not learnt of; of any other it is not known.
    `known_as` is the id of the command when evidence of this id is known with another content;
    empty otherwise. `from_driver`: the command came in by the door of drivers.
    """

    at: datetime
    rules: Rulebook
    mandate_roots: Mapping[str, MandateRoot] = field(default_factory=dict)
    loans: Mapping[str, Loan] = field(default_factory=dict)
    payments: Mapping[str, Payment] = field(default_factory=dict)
    lines: Mapping[str, LineState] = field(default_factory=dict)
    orders: Mapping[str, str] = field(default_factory=dict)
    messages: Mapping[str, str] = field(default_factory=dict)
    under_mandates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    batches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waiting: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cases: Mapping[str, Case] = field(default_factory=dict)
    other_cases: Mapping[str, Case] = field(default_factory=dict)
    groups: Mapping[str, int] = field(default_factory=dict)
    items: tuple[CaseItem, ...] = ()
    letters: Mapping[int, Letter] = field(default_factory=dict)
    named_mandates: frozenset[str] | None = None
    named_accounts: frozenset[str] | None = None
    named_payers: frozenset[str] | None = None
    payouts: Mapping[str, Payout] = field(default_factory=dict)
    taken: Mapping[str, ItemSum] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)
    taken_items: Mapping[Key, int] = field(default_factory=dict)
    known_as: str = ""
    from_driver: bool = False


class Lacks(Exception):
    """A decision must look at more than its command names: it is to be made again with it.

    Attributes:
        mandates: mandates, each with all loans under it.
        accounts: accounts, each with all mandates to debit it.
        payers: payers, each with all mandates that they gave.
        payouts: refunds, each with its payment and the loans of that.
    """

    def __init__(
        self,
        mandates: Iterable[str] = (),
        accounts: Iterable[str] = (),
        payers: Iterable[str] = (),
        payouts: Iterable[str] = (),
    ) -> None:
        super().__init__("a decision lacks what its command does not name")
        self.mandates, self.accounts = frozenset(mandates), frozenset(accounts)
        self.payers, self.payouts = frozenset(payers), frozenset(payouts)


@dataclass(frozen=True, slots=True)
class Change:
    """Everything that one command changes. Roots are the new whole aggregates."""

    answer: Answer
    mandate_roots: Mapping[str, MandateRoot] = field(default_factory=dict)
    loans: Mapping[str, Loan] = field(default_factory=dict)
    payments: Mapping[str, Payment] = field(default_factory=dict)
    lines: Mapping[str, LineState] = field(default_factory=dict)
    transitions: tuple[Transition, ...] = ()
    entries: tuple[Entry, ...] = ()
    cases: Mapping[str, Case] = field(default_factory=dict)
    items: tuple[CaseItem, ...] = ()
    messages: tuple[Message, ...] = ()
    letters: Mapping[int, LetterFate] = field(default_factory=dict)
    """Dead letters of the outbox by id, and what becomes of them."""
    payouts: Mapping[str, Payout] = field(default_factory=dict)
    keeps: tuple[str, ...] = ()
    """Payouts that keep the items which the books have set aside for them."""
    lowers: tuple[Key, ...] = ()
    """Payable items of which parties are due less by it, or which it sets off: it holds only where
    what payouts have taken of them was known (`Aggregates.taken_items`)."""
    releases: tuple[str, ...] = ()
    """Payouts whose items are open again, as if they had never been set aside."""
    subject: Subject | None = None
    """Whose view is the answer's view, if any."""
