"""Short ways to say what happens to money that goes out, on books in memory."""

from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from fractions import Fraction
from typing import Any

from domain.calendar import local_day, local_instant
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus, status_of
from domain.debit.rail import RailProfile
from domain.kernel.change import Refusal
from domain.kernel.command import Actor
from domain.ledger.bankaccount import BankAccount, Purpose
from domain.loan.change import Change
from domain.loan.product import Payee, Product, Routing
from domain.loan.split import ShareRule, SplitRules
from domain.payout.payout import PAYOUT, Payout
from domain.payout.policy import PayeePolicy, RefundPolicy, RemittancePolicy
from domain.pricing.amounts import Component
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    Also,
    EscalateRefund,
    InstructPayout,
    RecordLearnt,
    RecordPayment,
    RecordPayoutOutcome,
    RecordRemitted,
    RequestPayout,
    RequestRefund,
    ReviewPayout,
    RollDay,
    SetOff,
)
from tests.support.memory import PRODUCT, RULES, SHANGHAI, MemoryBooks, as_item, board, later
from tests.support.memory import schedule as planned
from tests.support.scene import Scene

PAYOUT_DRIVER = Actor("workflow", PAYOUT)
K, FA = "ACCT-K", "ACCT-FA"
CHANNEL = RailProfile(
    name="bank-k",
    timezone=SHANGHAI,
    calendar="PLAIN",
    opens=time(8),
    closes=time(18),
    cut_off=time(17),
)
PAYEE = PayeePolicy(
    party="funder-1",
    beneficiary="acct-of-funder-1",
    channel="bank-k",
    calendar="PLAIN",
    timezone=SHANGHAI,
    cut_off=time(16),
    approve_within_minor=100_000,
)
REFUNDS = RefundPolicy(
    channel="bank-k", calendar="PLAIN", timezone=SHANGHAI, approve_within_minor=100_000
)
PARTIES = ("funder-1", "funder-2", "guarantor")


def policy(*payees: PayeePolicy, refunds: RefundPolicy | None = REFUNDS) -> RemittancePolicy:
    """A policy of these payees, and of all other parties as the first one."""
    usual = [replace(PAYEE, party=name, beneficiary=f"acct-of-{name}") for name in PARTIES]
    return RemittancePolicy({one.party: one for one in (*usual, *payees)}, refunds=refunds)


def pooled(funder: str = "funder-1", **own: str) -> Product:
    """A product at 90/8/2 without penalty; `own` names the accounts of parties that have one."""
    shares = ((funder, 90), ("platform", 8), ("guarantor", 2))
    rules = tuple(
        ShareRule(party, component, Fraction(part, 100))
        for component in Component
        for party, part in shares
    )
    own = own or {"platform": K}
    payees = tuple(
        Payee(party, Routing.DIRECT, own[_name(party)])
        if _name(party) in own
        else Payee(party, Routing.POOLED)
        for party, _ in shares
    )
    return replace(
        PRODUCT,
        id=f"pooled-{funder}",
        penalty=None,
        funder=funder,
        account=K,
        reminders=replace(PRODUCT.reminders, rules=()),
        shares=SplitRules(rules, funder),
        payees=payees,
    )


def sole(funder: str) -> Product:
    """A product of which one funder gets everything, on K."""
    rules = tuple(ShareRule(funder, component, Fraction(1)) for component in Component)
    payees = (Payee(funder, Routing.POOLED),)
    split = SplitRules(rules, funder)
    return replace(pooled(funder), id=f"sole-{funder}", shares=split, payees=payees)


def _name(party: str) -> str:
    return party.replace("-", "_")


@dataclass
class Paying(Scene):
    """A scene in which money goes out of account K."""

    @classmethod
    def of(
        cls, *loans: tuple[str, Product, int], policy: RemittancePolicy | None = None
    ) -> "Paying":
        """A scene with loans of one installment each: id, product and amount in minor units."""
        rails = frozenset({"simbank"})
        accounts = {
            K: BankAccount(K, "platform", Purpose.COLLECTION, "CNY", rails, may_pay_from=True),
            FA: BankAccount(FA, "funder-1", Purpose.PAYEE, "CNY", rails),
        }
        rules = replace(
            RULES,
            accounts={**RULES.accounts, **accounts},
            channels={CHANNEL.name: CHANNEL},
            remittance=policy or globals()["policy"](),
        )
        scene = cls(MemoryBooks(rules=rules))
        for loan_id, product, minor in loans:
            command = board(loan_id, product, planned(((minor, 0),)))
            assert isinstance(scene.books.apply(command), Change)
        scene.roll(9)
        return scene

    def roll(self, days: int) -> None:
        """Let days pass for every loan."""
        for _ in range(days):
            morning = local_instant(self.today + timedelta(days=1), time(9), SHANGHAI)
            later(self.books, morning)
            for loan_id in sorted(self.books.loans):
                self.give(RollDay, loan_id=loan_id, day=self.today)

    def received(self, minor: int, loan: str, *also: str, account: str = K, ref: str = "") -> str:
        """A transfer comes for loans, and its line proves it; the id of the payment."""
        ref = ref or f"T{self.count + 1}"
        also_loans = tuple(Also(name) for name in also)
        terms: dict[str, Any] = {"reference": ref, "currency": "CNY", "value_on": self.today}
        answer = self.order(RecordPayment, 1, loan, amount_minor=minor, also=also_loans, **terms)
        assert isinstance(answer, Change), answer
        self.line(LineItem(ref, None, None, minor), account=account)
        return self.portion(ref, loan).id

    # --- payouts ---------------------------------------------------------------------------------

    def request(
        self, payee: str = "funder-1", number: int = 1, day: date | None = None, **more: Any
    ) -> Change | Refusal:
        """Request all that is open for a payee on K."""
        terms: dict[str, Any] = {"currency": "CNY", "account": K} | more
        return self.give(
            RequestPayout, payee=payee, cut_off_on=day or self.today, number=number, **terms
        )

    def requested(self, payee: str = "funder-1", number: int = 1, **more: Any) -> str:
        """Request all that is open for a payee on K; the key of the payout."""
        answer = self.request(payee, number, **more)
        assert isinstance(answer, Change), answer
        return next(iter(answer.payouts))

    def payout(self, key: str) -> Payout:
        """A payout as it is now."""
        return self.books.payouts[key]

    def act(self, key: str) -> Change | Refusal:
        """Perform the next action of a payout when its time has come."""
        view = self.books.payout_view(key)
        action = view.next_action
        assert action is not None, view
        if action.not_before > self.books.at:
            self.roll((local_day(action.not_before, SHANGHAI) - self.today).days)
            later(self.books, max(self.books.at, action.not_before))
        kinds: dict[str, type] = {
            "INSTRUCT": InstructPayout,
            "REVIEW": ReviewPayout,
            "LEARN": RecordLearnt,
            "UNLEARN": RecordLearnt,
            "ESCALATE": EscalateRefund,
        }
        if action.kind in {"LEARN", "UNLEARN"}:
            self.learn(key, returned=action.kind == "UNLEARN")
        values = {"action": action.key, "generation": view.generation, "seen": view.version}
        return self.give(kinds[action.kind], actor=PAYOUT_DRIVER, payout=key, **values)

    def learn(self, key: str, *, returned: bool = False) -> None:
        """The loans learn of a payout, each by a command of its own."""
        payout, found = self.payout(key), self.books.payout_items[key]
        for loan in dict.fromkeys(item[0] for item, _ in found):
            items = tuple(as_item(item, minor) for item, minor in found if item[0] == loan)
            terms: dict[str, Any] = {"party": payout.payee, "place": payout.place, "items": items}
            self.give(RecordRemitted, loan_id=loan, payout=key, returned=returned, **terms)

    def said(
        self,
        key: str,
        outcome_class: OutcomeClass = OutcomeClass.SUCCESS,
        source: str = "answer",
        minor: int | None = None,
        **more: Any,
    ) -> Change | Refusal:
        """The channel says something of a payout; a success without an amount is of the whole."""
        if minor is None:
            taken = status_of(outcome_class) is OutcomeStatus.CONFIRMED
            minor = self.payout(key).minor if taken else 0
        asked_at = more.pop("asked_at", self.books.at)
        outcome = Outcome(outcome_class, more.pop("code", outcome_class.value), minor, **more)
        return self.give(
            RecordPayoutOutcome,
            actor=PAYOUT_DRIVER,
            payout=key,
            outcome=outcome,
            source=source,
            asked_at=asked_at,
        )

    def left(
        self, key: str, minor: int | None = None, fee: int = 0, **more: Any
    ) -> Change | Refusal:
        """A line shows that a payout left."""
        payout = self.payout(key)
        amount = payout.minor if minor is None else minor
        terms: dict[str, Any] = {"account": K} | more
        return self.line(LineItem(payout.order_no, None, None, -amount, fee), **terms)

    def came_back(
        self, key: str, minor: int | None = None, fee: int = 0, **more: Any
    ) -> Change | Refusal:
        """A line shows that a payout came back."""
        payout = self.payout(key)
        amount = payout.minor if minor is None else minor
        terms: dict[str, Any] = {"account": K} | more
        return self.line(LineItem(payout.order_no, None, None, amount, fee), **terms)

    def paid(self, payee: str = "funder-1", number: int = 1) -> str:
        """A payout goes all the way to its closure; its key."""
        key = self.requested(payee, number)
        self.act(key)
        self.said(key)
        self.left(key)
        self.act(key)
        return key

    def refund(
        self, payment: str, number: int = 1, *, actor: Actor = PAYOUT_DRIVER, **more: Any
    ) -> Change | Refusal:
        """Request the refund of what of a payment nothing owed can take."""
        return self.give(RequestRefund, actor=actor, payment=payment, number=number, **more)

    def refunding(self, payment: str, number: int = 1, **more: Any) -> str:
        """Request a refund that is taken; the key of the payout."""
        answer = self.refund(payment, number, **more)
        assert isinstance(answer, Change), answer
        return next(iter(answer.payouts))

    def refunded(self, payment: str, number: int = 1, **more: Any) -> str:
        """A refund goes all the way to its line; the key of the payout."""
        key = self.refunding(payment, number, **more)
        self.act(key)
        self.said(key)
        self.left(key)
        return key

    def set_off(self, party: str, *loans: str) -> str:
        """Set off what a party is due on K; the note of the answer."""
        terms: dict[str, Any] = {"currency": "CNY", "account": K}
        answer = self.give(SetOff, party=party, loans=loans or tuple(self.books.loans), **terms)
        assert isinstance(answer, Change), answer
        return str(getattr(answer.answer, "note", ""))

    def went_back(self, ref: str, minor: int) -> None:
        """A line on K shows that (part of) a transfer went back to its payer."""
        self.line(LineItem(ref, None, None, -minor, 0, "MD06"), account=K)

    def check(self) -> None:
        """Everything that must hold at rest."""
        invariants.check(self.books)
        invariants.check_moves(self.books.transitions)
