"""What a group of commands works on: aggregates as loaded, and as every decision leaves them.

It is in memory only. Commands are decided one after the other on the updated aggregates; a command
that raises leaves nothing behind. What the database has to write is the difference at the end.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncTransaction

from adapters.sql.write.changed import changed_installments
from adapters.sql.write.further import Further
from adapters.sql.write.references import References
from adapters.sql.write.roots import ROOTS
from domain.case.case import Case
from domain.case.deadletter import letter_after
from domain.case.item import CaseItem
from domain.debit.mandate import MandateRoot
from domain.errors import InvariantBroken
from domain.kernel.change import Answer, LetterFate, Stamp, Transition
from domain.kernel.command import Command
from domain.kernel.message import Letter, Message
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.ledger.entry import Entry
from domain.loan.aggregate import LineState, Loan, Rulebook, batches_among
from domain.loan.boarding import BoardLoan
from domain.loan.change import Aggregates, Change
from domain.loan.payables import Key, learnt_of
from domain.payment.payment import Payment
from domain.payout.items import ItemSum
from domain.payout.payout import Payout
from domain.payout.standing import Standing

Items = tuple[tuple[str, Entry | Transition], ...]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Held:
    """A loan as loaded under its lock: what a cache may keep as long as `revision` stands."""

    loan: Loan
    revision: int
    content: str
    views: Mapping[int, bytes] = field(default_factory=dict)
    """By installment, the mark of the view that is stored (see `rows.view_mark`)."""


@dataclass(frozen=True, slots=True)
class Logged:
    """A row of the command log: what was answered, and which write brought it."""

    id: str
    identity: str
    dedup_key: str | None
    answer: Answer | None
    rule: str
    refusal: str
    subject: Subject | None
    loan_id: str
    written_by: str


@dataclass(frozen=True, slots=True)
class Written:
    """One command that is to be logged, with all that it appends to the journal."""

    command: Command
    log: Logged
    stamp: Stamp
    items: Items = ()


def _no_roots() -> dict[str, dict[str, Any]]:
    return {root.name: {} for root in ROOTS}


@dataclass(slots=True)
class Workset:
    """Aggregates of one group. `held` and `roots_before` are what was loaded."""

    at: datetime
    zone: tzinfo
    rules: Rulebook
    written_by: str
    refs: References = field(default_factory=References)
    held: dict[str, Held] = field(default_factory=dict)
    loans: dict[str, Loan] = field(default_factory=dict)
    roots_before: dict[str, dict[str, Any]] = field(default_factory=_no_roots)
    roots: dict[str, dict[str, Any]] = field(default_factory=_no_roots)
    """Roots of one row each (see `roots.ROOTS`), by their kind's name and their key."""
    cases_before: dict[str, Case] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    """Those that are known: open ones, and resolved ones that somebody has named."""
    items_before: dict[tuple[str, str], CaseItem] = field(default_factory=dict)
    items: dict[tuple[str, str], CaseItem] = field(default_factory=dict)
    """Lines that are items of cases, by case and line."""
    further: Further = field(default_factory=Further)
    taken: dict[str, ItemSum] = field(default_factory=dict)
    """What the items come to that are set aside for payouts that are requested, by their keys."""
    asides: dict[str, AsyncTransaction] = field(default_factory=dict)
    """Of these the savepoints before it was done."""
    standings: dict[str, Standing] = field(default_factory=dict)
    """What lies on the accounts of payouts that are to be instructed, by their keys."""
    taken_items: dict[Key, int] = field(default_factory=dict)
    """What payouts have taken of some payable items, as it was read under their locks."""
    learnt_items: Counter[Key] = field(default_factory=Counter)
    """What of it loans have learnt in this group to be remitted: it is taken no more."""
    keeps: dict[str, None] = field(default_factory=dict)
    releases: dict[str, None] = field(default_factory=dict)
    """Payouts that keep what was set aside for them, and those whose items are open again."""
    products: dict[str, str] = field(default_factory=dict)
    """Digest of every product named by the group, those that are boarded by it included."""
    products_kept: set[str] = field(default_factory=set)
    """Refs that the database holds already."""
    seen: dict[str, Logged] = field(default_factory=dict)
    by_dedup_key: dict[str, Logged] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    written: list[Written] = field(default_factory=list)
    changed_cases: dict[str, None] = field(default_factory=dict)
    messages: list[tuple[Message, str]] = field(default_factory=list)
    """Each with the id of the command that left it."""
    letters: dict[int, Letter] = field(default_factory=dict)
    """Messages of the outbox that are named, as they are now."""
    fates: dict[int, LetterFate] = field(default_factory=dict)
    """What becomes of dead letters of the outbox."""
    views: dict[Subject, View[Any] | None] = field(default_factory=dict)
    """Views as the whole group leaves them: computed once, after its last decision."""
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The traces that commands belong to, by id."""
    by_drivers: frozenset[str] = frozenset()
    """Ids of the commands that came in by the door of drivers."""

    @property
    def mandate_roots(self) -> dict[str, MandateRoot]:
        """The mandates as they are now."""
        return self.roots["mandate_roots"]

    @property
    def widened(self) -> frozenset[str]:
        """The mandates that decisions of an earlier try had to look at, with all their loans."""
        of_accounts = _held(self.refs.of_accounts, self.further.accounts).values()
        of_payers = _held(self.refs.of_payers, self.further.payers).values()
        return frozenset(self.further.mandates).union(*of_accounts, *of_payers)

    def new_orders(self) -> set[str]:
        """Numbers of the orders that this group has made or brought."""
        found: set[str] = set()
        for loan_id, loan in self.loans.items():
            before = self.loan_before(loan_id)
            for item in changed_installments(before, loan):
                known = before.installment(item.number).attempts if before is not None else ()
                found |= {attempt.order_no for attempt in item.attempts[len(known) :]}
        return found

    @property
    def payments(self) -> dict[str, Payment]:
        """The payments as they are now."""
        return self.roots["payments"]

    @property
    def lines(self) -> dict[str, LineState]:
        """The bank lines as they are now."""
        return self.roots["lines"]

    @property
    def payouts(self) -> dict[str, Payout]:
        """The payouts as they are now."""
        return self.roots["payouts"]

    @property
    def posted_on(self) -> date:
        """The books' local day on which this group is posted."""
        return self.at.astimezone(self.zone).date()

    def loan_before(self, loan_id: str) -> Loan | None:
        """The loan as it was loaded; None if the group boards it."""
        held = self.held.get(loan_id)
        return held.loan if held else None

    def aggregates(self, command: Command) -> Aggregates:
        """What one command names, and nothing else that happens to be in its group."""
        scope, refs = command.scope(), self.refs
        orders = _held(refs.orders, (*scope.orders, *sorted(self.further.orders)))
        messages = _held(refs.messages, scope.messages)
        paid = {name for names in _held(refs.payments, scope.payments).values() for name in names}
        wanted = (*scope.payouts, *self.further.payouts)
        payouts = sorted({key for found in _held(refs.payouts, wanted).values() for key in found})
        refunds = (payout.refund for payout in _held(self.payouts, payouts).values())
        paid |= {refund.payment for refund in refunds if refund is not None}
        sharing = _held(refs.sharing, sorted(paid))
        widened = sorted(self.widened)
        mandates = _sorted(_held(refs.under_mandates, (*scope.under_mandates, *widened)))
        barred = set().union(
            *_held(refs.accounts, scope.accounts).values(),
            *_held(refs.payers, scope.payers).values(),
        )
        roots = (*scope.mandate_roots, *widened, *sorted(barred))
        waited_for = batches_among(_held(refs.waiting, scope.waiting))
        batches = _sorted(_held(refs.batches, (*scope.batches, *waited_for)))
        names = {*scope.loans, *orders.values(), *messages.values()}
        names = names.union(*sharing.values(), *mandates.values(), *batches.values())
        waiting = _sorted(_held(refs.waiting, scope.waiting))
        line_ids = sorted({*scope.lines, *(line for found in waiting.values() for line in found)})
        about = (*self.open_cases((), line_ids).values(), *_held(self.cases, scope.cases).values())
        names |= {case.loan_id for case in about if case.loan_id is not None}
        loans = {name: self.loans[name] for name in sorted(names) if name in self.loans}
        lines = _held(self.lines, line_ids)
        cases = self.open_cases(loans, line_ids, scope.cases)
        return Aggregates(
            at=self.at,
            rules=self.rules,
            mandate_roots=_held(self.mandate_roots, roots),
            loans=loans,
            lines=lines,
            orders=orders,
            messages=messages,
            payments={
                key: self.payments[key]
                for key in sorted(self.payments)
                if not names.isdisjoint(self.payments[key].loans)
            },
            under_mandates=mandates,
            batches=batches,
            waiting=waiting,
            cases=cases,
            other_cases={key: case for key, case in self.cases.items() if key not in cases},
            groups={name: len(refs.groups.get(name, ())) for name in scope.groups},
            items=tuple(item for item in self.items.values() if item.line in line_ids),
            payouts=_held(self.payouts, payouts),
            taken=_held(self.taken, scope.payouts),
            standings=_held(self.standings, payouts),
            taken_items={
                key: minor - self.learnt_items[key] for key, minor in self.taken_items.items()
            },
            letters={key: self.letters[key] for key in scope.letters if key in self.letters},
            named_mandates=frozenset((*scope.mandate_roots, *widened)).intersection(
                (*scope.under_mandates, *widened)
            ),
            named_accounts=frozenset(self.further.accounts),
            named_payers=frozenset(self.further.payers),
            from_driver=command.id in self.by_drivers,
        )

    def open_cases(
        self, loans: Iterable[str], lines: Iterable[str] = (), keys: Iterable[str] = ()
    ) -> Mapping[str, Case]:
        """Open cases of some loans and lines, and of some keys, by key."""
        of_loans, of_lines, named = set(loans), set(lines), set(keys)
        return {
            key: case
            for key, case in self.cases.items()
            if case.is_open and (case.loan_id in of_loans or case.line in of_lines or key in named)
        }

    def take(self, command: Command, change: Change) -> Items:
        """Make a change the state of the group; gives its journal items with their product.

        Raises:
            InvariantBroken: it changes what it did not name, or drops a portion. Nothing is taken.
        """
        items = self._items(change)
        for loan_id, loan in change.loans.items():
            self._check(command, loan_id, loan)
        for loan_id, loan in change.loans.items():
            self.learnt_items.update(learnt_of(self.loans.get(loan_id), loan))
            self.refs.learn(self.loans.get(loan_id), loan)
            self.loans[loan_id] = loan
        for mandate in change.mandate_roots.values():
            self.refs.learn_mandate(mandate)
        for payment in change.payments.values():
            self.refs.learn_payment(payment)
        for line in change.lines.values():
            self.refs.learn_line(line)
        for payout in change.payouts.values():
            self.refs.learn_payout(payout)
        self.keeps.update(dict.fromkeys(change.keeps))
        self.releases.update(dict.fromkeys(change.releases))
        for root in ROOTS:
            self.roots[root.name].update(getattr(change, root.name))
        self.cases.update(change.cases)
        for case in change.cases.values():
            if case.group:
                self.refs.groups.setdefault(case.group, set()).add(case.key)
        self.items.update({(item.case, item.line): item for item in change.items})
        self.changed_cases.update(dict.fromkeys(change.cases))
        for message, fate in change.letters.items():
            self.fates[message], self.letters[message] = fate, letter_after(fate)
        self.messages.extend((message, command.id) for message in change.messages)
        return items

    def _items(self, change: Change) -> Items:
        moves = [(move.product, move) for move in change.transitions]
        return (*moves, *((self._products_of(entry, change), entry) for entry in change.entries))

    def _products_of(self, entry: Entry, change: Change) -> str:
        names = {posting.loan for posting in entry.postings if posting.loan}
        loans = (change.loans.get(name) or self.loans.get(name) for name in names)
        return ",".join(sorted({loan.product.ref for loan in loans if loan is not None}))

    def _check(self, command: Command, loan_id: str, loan: Loan) -> None:
        before = self.loans.get(loan_id)
        if loan.id != loan_id:
            raise InvariantBroken(f"a change of loan {loan_id} holds loan {loan.id}")
        if before is None:
            if not isinstance(command, BoardLoan) or command.loan_id != loan_id:
                raise InvariantBroken(f"{command.kind} changes {loan_id}, which it has not named")
            return
        if before.portions is not loan.portions:
            gone = {item.id for item in before.portions} - {item.id for item in loan.portions}
            if gone:
                raise InvariantBroken(
                    f"{command.kind} drops portions {sorted(gone)} of loan {loan_id}"
                )


def _sorted(found: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {ref: tuple(sorted(loans)) for ref, loans in found.items()}


def _held(found: Mapping[str, _T], wanted: Iterable[str]) -> dict[str, _T]:
    return {ref: found[ref] for ref in wanted if ref in found}
