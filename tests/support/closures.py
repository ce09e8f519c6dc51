"""Short ways to say what happens to the closure of a loan, on books in memory."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

from domain.kernel.change import Refusal
from domain.kernel.command import Actor
from domain.loan.change import Change
from domain.loan.closing import view_of
from domain.loan.product import Product
from domain.loanclosure.agenda import ClosureAction
from domain.loanclosure.certificate import Settlement
from domain.loanclosure.closure import LOAN_CLOSURE, Leg, LegOrdered, LoanClosure
from domain.loanclosure.commands import CLOSURE_ORDERS
from domain.loanclosure.rules import ClosingRules, LegKind, LegRule
from domain.loanclosure.view import ClosureView
from domain.pricing.amounts import Component
from domain.statement.statement import LineItem
from tests.support import invariants
from tests.support.doors import (
    BeginLeg,
    LegNews,
    LegStatus,
    RecordCertificate,
    RecordDeliveryReport,
    RecordLegNews,
    RecordSealed,
    ReviewLeg,
    Waive,
)
from tests.support.memory import PRODUCT, TESTER, later, schedule
from tests.support.scene import Scene

DRIVER = Actor("workflow", LOAN_CLOSURE)
DAY = timedelta(days=1)
BUREAU = "bureau-1"
LEGS = {
    LegKind.STOP_CHARGES: LegRule(DAY),
    LegKind.END_MANDATE: LegRule(2 * DAY),
    LegKind.STOP_COLLECTION: LegRule(DAY),
    LegKind.RELEASE_GUARANTOR: LegRule(5 * DAY),
    LegKind.TELL_BUREAU: LegRule(2 * DAY, BUREAU, tries=2),
    LegKind.ISSUE_CERTIFICATE: LegRule(DAY),
    LegKind.TELL_BORROWER: LegRule(timedelta(hours=20), channels=("sms", "email")),
}
ALL = ClosingRules(LEGS, seals=True)
ONE = schedule(((10000, 100),))
"""One installment of 101.00."""


def closing(rules: ClosingRules = ALL, of: Product = PRODUCT) -> Product:
    """A product whose loans are closed by these rules."""
    return replace(of, closing=rules, penalty=None)


def only(*kinds: LegKind, seals: bool = False) -> ClosingRules:
    """Rules with some of the legs."""
    return ClosingRules({kind: LEGS[kind] for kind in kinds}, seals=seals)


@dataclass
class ClosingScene(Scene):
    """Books with one loan of one installment, whose product says how it is closed."""

    @classmethod
    def released(cls, rules: ClosingRules = ALL, **terms: Any) -> Self:
        """The installment was taken, proven, and its return window has passed."""
        given = {"product": closing(rules), "lines": ONE, **terms}
        scene = cls.boarded(**given)
        scene.paid()
        return scene

    def paid(self) -> str:
        """Take the installment, prove it, and let its return window pass; the order's number."""
        order = self.present()
        self.apply_outcome(order)
        self.credit(order, 10100)
        self.until(self.today + timedelta(days=5))
        return order

    @property
    def closure(self) -> LoanClosure:
        """The closure of the loan as it is now."""
        found = self.books.loans["L1"].closing
        assert found is not None
        return found

    @property
    def stands(self) -> str:
        """The state of the closure."""
        return self.closure.state.value

    def leg_state(self, kind: LegKind) -> str:
        """The state of a leg."""
        return self.leg(kind).state.value

    def leg(self, kind: LegKind) -> Leg:
        """A leg of it."""
        found = self.closure.leg(kind)
        assert found is not None, kind
        return found

    @property
    def view_now(self) -> ClosureView:
        """The view of the closure now."""
        found = view_of(self.books.loans["L1"], self.books.cases, self.books.at)
        assert found is not None
        return found

    def act(self, **more: Any) -> Change:
        """Perform the next action of the closure when its time has come."""
        view = self.view_now
        action = view.next_action
        assert action is not None, view
        later(self.books, max(self.books.at, action.not_before))
        kinds: dict[str, type] = {
            ClosureAction.LATE: ReviewLeg,
            ClosureAction.SEAL: RecordSealed,
        }
        if action.kind == ClosureAction.SEAL:
            more = {"size": 12, "root": "ab" * 32, **more}
        change = self.give(
            kinds.get(action.kind, BeginLeg),
            actor=DRIVER,
            loan_id="L1",
            action=action.key,
            generation=view.generation,
            seen=view.version,
            **more,
        )
        assert isinstance(change, Change), change
        return change

    def act_until(self, kind: ClosureAction, leg: LegKind | None = None) -> Change:
        """Perform actions up to one of a kind, and of a leg."""
        for _ in range(60):
            action = self.view_now.next_action
            assert action is not None, self.view_now
            change = self.act()
            if action.kind == kind and (leg is None or f"/{leg}/" in action.key):
                return change
        raise AssertionError(self.view_now)

    def ask(self, kind: LegKind) -> str:
        """Perform actions until a leg is asked for; the reference of the request."""
        while not self.leg(kind).tries:
            self.act()
        return self.leg(kind).reference

    def news(self, reference: str, status: LegStatus, **more: Any) -> Change:
        """A counterparty says what became of a request."""
        change = self.give(
            RecordLegNews,
            actor=DRIVER,
            loan_id="L1",
            reference=reference,
            news=LegNews(status, **more),
        )
        assert isinstance(change, Change), change
        return change

    def done(self, kind: LegKind, proof: str = "receipt 7") -> None:
        """Have a leg asked for, and done."""
        self.news(self.ask(kind), LegStatus.DONE, proof=proof)

    def certified(self, generation: int | None = None) -> Change:
        """Record a signed certificate."""
        change = self.give(
            RecordCertificate,
            actor=DRIVER,
            loan_id="L1",
            generation=self.closure.generation if generation is None else generation,
            text=self.settlement().text(),
            key="aa" * 32,
            signature="bb" * 64,
        )
        assert isinstance(change, Change), change
        return change

    def settlement(self) -> Settlement:
        """What a certificate of the loan says."""
        loan = self.books.loans["L1"]
        return Settlement(
            loan_id=loan.id,
            borrower=loan.borrower,
            currency=loan.currency,
            principal_minor=loan.principal_minor,
            installments=len(loan.installments),
            disbursed_on=loan.disbursed_on,
            settled_on=self.closure.value_on,
            generation=self.closure.generation,
            issuer="Lender",
            issued_on=self.today,
            language="en",
        )

    def told(self, kind: LegKind, *, delivered: bool = True) -> Change | Refusal:
        """A carrier says what became of the message of a leg."""
        return self.give(
            RecordDeliveryReport,
            message_id=self.leg(kind).reference,
            channel="",
            delivered=delivered,
        )

    def order_leg(self, kind: str, leg: LegKind, **more: Any) -> Change | Refusal:
        """Two people give an order about a leg."""
        given = {"actor": TESTER, "approver": "ops-9", "leg": leg, **more}
        return self.give(CLOSURE_ORDERS[kind], loan_id="L1", **given)

    def waived(self) -> None:
        """Forgive all that is owed."""
        owed = self.books.item().owed
        for component in (Component.PRINCIPAL, Component.INTEREST):
            self.order(Waive, component=component, amount_minor=getattr(owed, component.value),
                       approver="ops-9")  # fmt: skip

    def line_on_k(self, ref: str, minor: int) -> None:
        """A line on the pooled account K."""
        self.line(LineItem(ref, None, None, minor), account="ACCT-K")

    def finished(self) -> None:
        """Do every leg, up to the end of the closure."""
        for _ in range(60):
            action = self.view_now.next_action
            if action is None:
                break
            change = self.act()
            if isinstance(change.answer, LegOrdered):
                self._answered(change.answer)
        self.check()

    def _answered(self, ordered: LegOrdered) -> None:
        if ordered.leg is LegKind.ISSUE_CERTIFICATE:
            self.certified()
        elif ordered.leg in {LegKind.TELL_BORROWER, LegKind.TELL_REVOKED}:
            self.told(ordered.leg)
        else:
            self.news(ordered.reference, LegStatus.DONE, proof="receipt 7")

    def check(self) -> None:
        """Everything that must hold at rest."""
        invariants.check(self.books)
