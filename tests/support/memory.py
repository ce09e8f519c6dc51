"""The books in memory: the real decision function over dictionaries, for pure tests."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

from adapters.rails.codes import load_returns
from domain.calendar import Adjust, BankingCalendar, DayWindow
from domain.case.case import Case
from domain.case.deadletter import letter_after
from domain.case.item import CaseItem
from domain.debit.mandate import Mandate, MandateRoot
from domain.debit.rail import RailProfile
from domain.debit.retry import RetryPlan
from domain.kernel.change import Refusal, Transition
from domain.kernel.command import Actor
from domain.kernel.message import Letter, Message
from domain.ledger.bankaccount import BankAccount, Purpose
from domain.ledger.entry import Entry
from domain.loan.accounts import accounts_named
from domain.loan.agenda import view_of
from domain.loan.aggregate import Installment, LineState, Loan, Rulebook
from domain.loan.change import Aggregates, Change
from domain.loan.decide import reported_again
from domain.loan.payables import Key, learnt_of, payable_items
from domain.loan.product import ClosureRules, Payee, Product, ReminderPlan, ReminderRule, Routing
from domain.loan.split import ShareRule, SplitRules
from domain.loan.view import InstallmentView
from domain.loan.waterfall import Direction, Future, Waterfall
from domain.payment.payment import Payment
from domain.payout.agenda import view_of as payout_view_of
from domain.payout.commands import InstructPayout, RequestPayout
from domain.payout.items import PayoutItem, Summing
from domain.payout.lifecycle import LIVE, WAITING
from domain.payout.payout import Payout
from domain.payout.standing import Standing
from domain.payout.view import PayoutView
from domain.pricing.amounts import Component
from domain.pricing.penalty import PenaltyRule
from domain.pricing.schedule import ScheduleLine
from domain.registry import decide
from tests.support.doors import AnyCommand, BoardLoan, Past

SHANGHAI = "Asia/Shanghai"
TESTER = Actor("test", "t1")
DRIVER = Actor("driver", "installment")
RAIL = RailProfile(
    name="simbank",
    timezone=SHANGHAI,
    calendar="PLAIN",
    opens=time(7),
    closes=time(22),
    cut_off=time(20),
    every_day=False,
    idempotent=True,
)
PLAIN = BankingCalendar("PLAIN", frozenset(), frozenset(), date(2020, 1, 1), date(2030, 12, 31))
ORDER = (
    Component.COST,
    Component.FEE,
    Component.PENALTY,
    Component.INTEREST,
    Component.PRINCIPAL,
)
FUNDER_ONLY = SplitRules(
    tuple(ShareRule("funder-1", component, Fraction(1)) for component in Component), "funder-1"
)
PRODUCT = Product(
    id="test",
    version=1,
    currency="CNY",
    timezone=SHANGHAI,
    calendar="PLAIN",
    adjust=Adjust.NONE,
    rail="simbank",
    funder="funder-1",
    account="ACCT-FUNDER-1-CNY",
    language="en",
    present_at=time(9, 30),
    waterfall=Waterfall(ORDER, Direction.HORIZONTAL, Future.ADVANCE),
    shares=FUNDER_ONLY,
    reminders=ReminderPlan(
        (ReminderRule(3, time(10), ("sms", "email")),), DayWindow(time(8), time(21), SHANGHAI)
    ),
    retry=RetryPlan(4, (1, 2, 3), (10, 25), 2, time(9, 30), 45),
    grace_days=3,
    closure=ClosureRules(2, 5),
    payees=(Payee("funder-1", Routing.DIRECT, "ACCT-FUNDER-1-CNY"),),
    penalty=PenaltyRule(Decimal(18), 360, on_interest=False, grace_days=3),
)
STRANGE = BankAccount("ACCT-STRANGER-CNY", "stranger", Purpose.OPERATING, "CNY")
"""A registered account that no product names."""
RULES = Rulebook(
    {"PLAIN": PLAIN},
    {"simbank": RAIL},
    returns={"simbank": load_returns("simbank")},
    accounts=accounts_named([PRODUCT]) | {STRANGE.name: STRANGE},
)


def registering(*products: Product, rules: Rulebook = RULES) -> Rulebook:
    """The rules with the accounts of these products registered as well, whatever they held."""
    return replace(rules, accounts={**rules.accounts, **accounts_named(products)})


@dataclass
class MemoryBooks:
    """Applies commands by the real `decide`; keeps entries, transitions, cases and messages."""

    at: datetime = datetime(2026, 3, 2, 1, tzinfo=UTC)
    rules: Rulebook = RULES
    mandate_roots: dict[str, MandateRoot] = field(default_factory=dict)
    loans: dict[str, Loan] = field(default_factory=dict)
    payments: dict[str, Payment] = field(default_factory=dict)
    lines: dict[str, LineState] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    resolved: dict[str, Case] = field(default_factory=dict)
    items: dict[tuple[str, str], CaseItem] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    letters: dict[int, Letter] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    payouts: dict[str, Payout] = field(default_factory=dict)
    payout_items: dict[str, tuple[tuple[Key, int], ...]] = field(default_factory=dict)
    taken: Counter[Key] = field(default_factory=Counter)
    """What of each payable item is in a payout that its loan has not learnt of."""
    since: dict[Key, date] = field(default_factory=dict)

    def apply(self, command: AnyCommand, *, from_driver: bool = False) -> Change | Refusal:
        """Decide and keep the change; evidence that says what is known changes nothing."""
        key = command.dedup_key()
        if key is not None and key in self.said:
            again = reported_again(self._aggregates(), command, None)
            if self.said[key] == command.id or not (again.loans or again.payments or again.cases):
                return Change(answer=None)  # type: ignore[arg-type]
            return self._keep(again)
        looked = self._about_payouts(replace(self._aggregates(), from_driver=from_driver), command)
        change = decide(looked, command)
        if isinstance(change, Refusal):
            return change
        if key is not None:
            self.said[key] = command.id
        if isinstance(command, RequestPayout):
            self.payout_items.setdefault(command.payout, self._open_items(command))
        return self._keep(change)

    def _about_payouts(self, found: Aggregates, command: AnyCommand) -> Aggregates:
        """What the books look at besides, for a payout that is requested or to be instructed."""
        if isinstance(command, RequestPayout):
            summing = Summing()
            for key, minor in self._open_items(command):
                summing.take(as_item(key, minor), self.since[key])
            return replace(found, taken={command.payout: summing.result()})
        if isinstance(command, InstructPayout) and command.payout in self.payouts:
            standing = self.standing(self.payouts[command.payout])
            return replace(found, standings={command.payout: standing})
        return found

    def payables(self) -> dict[Key, int]:
        """What every party is due of every portion, by item and place."""
        found: dict[Key, int] = {}
        for loan in self.loans.values():
            for portion in loan.portions:
                found |= payable_items(loan, portion)
        return found

    def _open_items(self, command: RequestPayout) -> tuple[tuple[Key, int], ...]:
        """What is open and proven of a payee, currency and place, in the order of the keys."""
        proven = {
            payment.id
            for payment in self.payments.values()
            if payment.settled_minor == payment.amount_minor
            and payment.returned_minor == payment.return_settled_minor
        }
        place = f"bank/{command.account}"
        return tuple(
            (key, minor - self.taken[key])
            for key, minor in sorted(self.payables().items())
            if key[1] in proven
            and key[4:] == (command.payee, place)
            and self.loans[key[0]].currency == command.currency
            and minor > self.taken[key]
        )

    def standing(self, payout: Payout) -> Standing:
        """What lies on the account of a payout."""
        cash = self.balances().get(payout.place, 0)
        there = [one for one in self.payouts.values() if one.place == payout.place]
        paying = sum(one.minor for one in there if one.state in LIVE - WAITING)
        waiting = {one.key for one in there if one.state in WAITING and one.payee != payout.payee}
        others = sum(
            minor - self.taken[key]
            for key, minor in self.payables().items()
            if key[5] == payout.place and key[4] != payout.payee
        )
        held = sum(
            posting.minor
            for entry in self.entries
            for posting in entry.postings
            if posting.account.startswith("held_by/") and posting.place == payout.place
        )
        others += sum(self.payouts[key].minor for key in waiting) - held
        return Standing(cash, paying, others)

    def _learn(self, change: Change) -> None:
        """What a loan has learnt to be remitted is taken no more, as the books write it."""
        for name, loan in change.loans.items():
            self.taken.subtract(learnt_of(self.loans.get(name), loan))

    def _keep(self, change: Change) -> Change:
        self._learn(change)
        self.payouts.update(change.payouts)
        for key in change.keeps:
            self.taken.update(dict(self.payout_items[key]))
        for key in change.releases:
            self.taken.subtract(dict(self.payout_items[key]))
        self.mandate_roots.update(change.mandate_roots)
        self.loans.update(change.loans)
        self.payments.update(change.payments)
        self.lines.update(change.lines)
        self.entries.extend(change.entries)
        self.transitions.extend(change.transitions)
        self.messages.extend(change.messages)
        self.letters.update({key: letter_after(fate) for key, fate in change.letters.items()})
        self.items.update({(item.case, item.line): item for item in change.items})
        for item in self.payables():
            self.since.setdefault(item, self.at.date())
        for key, case in change.cases.items():
            self.cases.pop(key, None)
            self.resolved.pop(key, None)
            (self.cases if case.is_open else self.resolved)[key] = case
        return change

    def _aggregates(self) -> Aggregates:
        mandates: dict[str, tuple[str, ...]] = {}
        batches: dict[str, tuple[str, ...]] = {}
        for loan in self.loans.values():
            for ref in sorted({loan.mandate.ref, *(a.mandate_ref for _, a in loan.attempts())}):
                mandates[ref] = (*mandates.get(ref, ()), loan.id)
            for _, attempt in loan.attempts():
                if attempt.batch_ref and loan.id not in batches.get(attempt.batch_ref, ()):
                    batches[attempt.batch_ref] = (*batches.get(attempt.batch_ref, ()), loan.id)
        waiting: dict[str, tuple[str, ...]] = {}
        for line in self.lines.values():
            refs = {ref for item in line.waiting for ref in item.refs} if line.is_open else set()
            for ref in sorted(refs):
                waiting[ref] = (*waiting.get(ref, ()), line.id)
        return Aggregates(
            at=self.at,
            rules=self.rules,
            loans=dict(self.loans),
            payments=dict(self.payments),
            lines=dict(self.lines),
            orders={
                a.order_no: loan.id for loan in self.loans.values() for _, a in loan.attempts()
            },
            messages={
                notice.message_id: loan.id
                for loan in self.loans.values()
                for item in loan.installments
                for notice in item.notices
            },
            mandate_roots=dict(self.mandate_roots),
            under_mandates=mandates,
            batches=batches,
            waiting=waiting,
            cases=dict(self.cases),
            other_cases=dict(self.resolved),
            groups=Counter(case.group for case in (*self.cases.values(), *self.resolved.values())),
            items=tuple(self.items.values()),
            letters=dict(self.letters),
            payouts=dict(self.payouts),
            taken_items=dict(self.taken),
        )

    def item(self, number: int = 1, loan_id: str = "L1") -> Installment:
        """An installment as it is now."""
        return self.loans[loan_id].installment(number)

    def view(self, number: int = 1, loan_id: str = "L1") -> InstallmentView:
        """The view of an installment now."""
        return view_of(self.loans[loan_id], number, self.rules, self.at, self.cases)

    def payout_view(self, key: str) -> PayoutView:
        """The view of a payout now."""
        return payout_view_of(self.payouts[key], self.rules.payouts, self.at)

    def balances(self) -> Mapping[str, int]:
        """Balance of every account (single currency), debit positive; zero ones left out."""
        sums: dict[str, int] = {}
        for entry in self.entries:
            for posting in entry.postings:
                sums[posting.account] = sums.get(posting.account, 0) + posting.minor
        return {account: minor for account, minor in sums.items() if minor}


def as_item(key: Key, minor: int) -> PayoutItem:
    """An item of a payout from the key of what its payee is due."""
    return PayoutItem(*key[:4], minor)


def schedule(
    rows: Iterable[tuple[int, int]] = ((10000, 100),) * 3, first: date = date(2026, 3, 10)
) -> tuple[ScheduleLine, ...]:
    """A monthly schedule of (principal, interest) rows."""
    pairs = list(rows)
    left = sum(principal for principal, _ in pairs)
    lines = []
    for index, (principal, interest) in enumerate(pairs):
        left -= principal
        month = first.month - 1 + index
        due = date(first.year + month // 12, month % 12 + 1, first.day)
        lines.append(ScheduleLine(index + 1, due, 30, principal, interest, 0, left))
    return tuple(lines)


def board(
    loan_id: str = "L1",
    product: Product = PRODUCT,
    lines: tuple[ScheduleLine, ...] | None = None,
    mandate: Mandate | None = None,
) -> BoardLoan:
    """A command that boards a small loan of three installments of 101.00."""
    plan = schedule() if lines is None else lines
    return BoardLoan(
        id=f"board/{loan_id}",
        actor=TESTER,
        reason="boarded in a test",
        loan_id=loan_id,
        tenant="t1",
        borrower="b-1",
        currency=product.currency,
        principal_minor=sum(line.principal for line in plan),
        disbursed_on=date(2026, 2, 10),
        product=product,
        mandate=mandate
        or Mandate("M-" + loan_id, product.rail, "merchant-1", "acct-1", date(2026, 1, 1)),
        schedule=plan,
        past=Past.OWED,  # a test says itself where its clock stands
    )


def later(books: MemoryBooks, to: datetime) -> None:
    """Let the clock stand at a later instant."""
    if to < books.at:
        raise ValueError(f"{to} lies before {books.at}")
    books.at = to


def tomorrow(books: MemoryBooks, days: int = 1) -> None:
    """Let days pass."""
    books.at += timedelta(days=days)


def with_shares(product: Product, *shares: tuple[str, Fraction], remainder: str) -> Product:
    """The product with every component split by the same fractions; new parties are pooled."""
    rules = tuple(
        ShareRule(party, component, part) for component in Component for party, part in shares
    )
    split = SplitRules(rules, remainder)
    own = {payee.party: payee for payee in product.payees}
    pooled = (Payee(party, Routing.POOLED) for party in split.parties if party not in own)
    return replace(product, shares=split, payees=(*own.values(), *pooled))
