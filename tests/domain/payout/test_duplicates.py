"""A payer pays twice over any channels: whatever order the news comes in, each unit goes one way.

The oracle knows nothing of the books: it counts what bank lines moved between the payer and us.
"""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.case.case import ByHand
from domain.case.kinds import CaseKind
from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.loan.change import Change
from domain.payment.portion import RefundStage
from domain.payout.lifecycle import LIVE, PayoutState
from domain.statement.statement import LineItem
from tests.support.doors import CancelPayout, RecordReturn, ResolveCase
from tests.support.payouts import K, Paying, sole

OWED = 15000
_S = PayoutState


@dataclass
class Twice:
    """A loan of 150.00 that a debit and a transfer pay, and what of the news of both has come.

    `paid`, `returned`, `refunded`: minor units that bank lines moved, as the oracle counts them.
    """

    s: Paying
    order: str
    transfer: str = ""
    lines: set[str] = field(default_factory=set)
    returns: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)
    paid: int = 0
    returned: int = 0
    refunded: int = 0
    requests: dict[str, int] = field(default_factory=dict)

    @classmethod
    def begun(cls) -> "Twice":
        """A debit is out, nothing else has come."""
        s = Paying.of(("L1", sole("funder-1"), OWED))
        return cls(s, s.present())

    # --- news ------------------------------------------------------------------------------------

    def confirmed(self, ref: str = "B1") -> None:
        """The rail says that the debit was taken, under some reference of its own."""
        self.s.apply_outcome(self.order, bank_ref=ref, source="webhook")

    def confirmed_again(self) -> None:
        """The same notice comes once more, as it was."""
        self.confirmed()

    def declined(self) -> None:
        """The rail says that the debit failed, before or after it says that it was taken."""
        self.s.apply_outcome(self.order, OutcomeClass.NSF, source="webhook")

    def transferred(self) -> None:
        """A person reports the transfer."""
        if not self.transfer:
            self.transfer = self.s.pay(OWED, ref="T1")

    def line_of_debit(self) -> None:
        """A booked line shows the debit."""
        if "debit" not in self.lines:
            self.lines.add("debit")
            self.paid += OWED
            self.s.line(LineItem(self.order, None, "B1", OWED), account=K)

    def line_of_transfer(self) -> None:
        """A booked line shows the transfer, reported or not."""
        if "transfer" not in self.lines:
            self.lines.add("transfer")
            self.paid += OWED
            self.s.line(LineItem("T1", None, None, OWED), account=K)

    def report_of_return(self) -> None:
        """The rail reports that the debit goes back; its line is to come."""
        if "debit" in self.lines and "debit" not in self.reported:
            self.reported.add("debit")
            self.s.give(
                RecordReturn, rail="simbank", order_no=self.order, bank_ref="B1",
                amount_minor=OWED, outcome_class=OutcomeClass.DISPUTE, code="MD06",
                returned_on=self.s.today,
            )  # fmt: skip

    def return_of_debit(self) -> None:
        """A booked line shows that the debit went back."""
        if "debit" in self.lines and "debit" not in self.returns:
            self.reported.add("debit")
            self._gone("debit", LineItem(self.order, None, "B1", -OWED, 0, "MD06"))

    def return_of_transfer(self) -> None:
        """A booked line shows that the transfer went back."""
        if "transfer" in self.lines and "transfer" not in self.returns and self.transfer:
            self._gone("transfer", LineItem("T1", None, None, -OWED, 0, "MD06"))

    def _gone(self, which: str, item: LineItem) -> None:
        self.returns.add(which)
        self.returned += OWED
        self.s.line(item, account=K)

    def refund_asked(self) -> None:
        """The machine asks for a refund of all that it may."""
        for portion in self.s.books.loans["L1"].portions:
            number = self.requests.get(portion.id, 0) + 1
            answer = self.s.refund(portion.id, number)
            if isinstance(answer, Change):
                self.requests[portion.id] = number
                self._within(next(iter(answer.payouts)))

    def refund_cancelled(self) -> None:
        """A person takes a refund back that has not left."""
        for key, payout in list(self.s.books.payouts.items()):
            if payout.state in {_S.REQUESTED, _S.APPROVED}:
                self.s.give(CancelPayout, payout=key)

    def refund_sent(self) -> None:
        """The driver sends what is approved."""
        for key, payout in list(self.s.books.payouts.items()):
            if payout.state is _S.APPROVED:
                self._within(key)
                self.s.act(key)

    def refund_failed(self) -> None:
        """The channel refuses what is out."""
        for key, payout in list(self.s.books.payouts.items()):
            if payout.state is _S.INSTRUCTED:
                self.s.said(key, OutcomeClass.ACCOUNT)

    def refund_left(self) -> None:
        """A booked line shows what is out."""
        for key, payout in list(self.s.books.payouts.items()):
            if payout.state in LIVE - {_S.REQUESTED, _S.APPROVED}:
                self.refunded += payout.minor
                self.s.left(key)

    def refund_back(self) -> None:
        """A booked line shows that a refund came back."""
        for key, payout in list(self.s.books.payouts.items()):
            if payout.state is _S.CLOSED and payout.refund is not None:
                self.refunded -= payout.minor
                self.s.came_back(key)

    # --- the oracle ------------------------------------------------------------------------------

    def _known(self, but: str = "") -> int:
        """What of the payer's money is here, less reported returns and refunds besides one."""
        refunds = (
            payout.minor
            for payout in self.s.books.payouts.values()
            if payout.refund is not None and payout.key != but
            if payout.state in LIVE | {_S.PROVEN, _S.CLOSED}
        )
        coming = OWED * len(self.reported - self.returns)
        return self.paid - self.returned - coming - sum(refunds)

    def _within(self, key: str) -> None:
        """A refund is of nothing but what was paid beyond what is owed (I20)."""
        minor = self.s.payout(key).minor
        assert minor <= self._known(but=key) - OWED, (key, minor)
        for portion in self.s.books.loans["L1"].portions:
            back = portion.refunded_minor + portion.reserved_minor
            assert back + portion.returned_minor <= portion.amount_minor, portion

    def settle(self) -> None:
        """All news that is still to come comes: whatever is known to have happened has its line."""
        if not self.transfer and "transfer" in self.lines:
            self.transferred()
        if self.transfer:
            self.line_of_transfer()
        if "debit" not in self.lines:
            live = self.s.books.item(1, "L1").live_attempt is not None
            if live:
                self.declined()
            elif any(p.is_debit for p in self.s.books.loans["L1"].portions):
                self.line_of_debit()
        if self.reported - self.returns:
            self.return_of_debit()
        for _ in range(3):
            self.s.roll(1)
            for case in [*self.s.books.cases.values()]:
                if case.kind is CaseKind.REFUND_UNREACHABLE:
                    self.s.give(
                        ResolveCase, case=case.key, resolution=ByHand.CORRECTED, approver="ops-2"
                    )
            self.refund_asked()
            self.refund_sent()
            self.refund_left()

    def check_end(self) -> None:
        """The payer has what he paid beyond what he owed, or the books say what is between."""
        s = self.s
        s.check()
        loan = s.books.loans["L1"]
        owed = s.books.item(1, "L1").owed.total
        owes_back = sum(p.owed_back_minor for p in loan.portions)
        net = self.paid - self.returned - self.refunded
        assert net == OWED - owed - owes_back, (net, owed, owes_back)
        assert not any(p.waiting_minor or p.reserved_minor for p in loan.portions), loan.portions
        stages = {part.stage for p in loan.portions for part in p.refunds}
        assert stages <= {RefundStage.PROVEN}
        if owes_back:
            # Only a return that came after a refund was ordered can bring that about.
            assert self.returned
            assert self.refunded


NEWS = [
    name
    for name in vars(Twice)
    if name.partition("_")[0] in {"confirmed", "declined", "transferred", "line", "report",
                                  "return", "refund"}
]  # fmt: skip


BOTH = ("confirmed", "transferred", "line_of_debit", "line_of_transfer", "refund_asked")
"""What comes as a rule, in any order."""
HISTORIES = st.builds(
    lambda both, dropped, more: [*both[dropped:], *more],
    st.permutations(BOTH),
    st.integers(0, 2),
    st.lists(st.sampled_from([*NEWS, "refund_asked", "refund_sent"]), max_size=10),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES)
def test_nobody_is_repaid_twice_whatever_the_order_of_news(news: list[str]) -> None:
    """In any order of news a payer gets back what he paid beyond what he owed, and no more."""
    twice = Twice.begun()
    for name in news:
        getattr(twice, name)()
        twice.s.check()
    twice.settle()
    twice.check_end()


def test_every_way_that_news_comes_is_tried() -> None:
    """The list of news holds all that the scene can tell."""
    assert len(NEWS) == 15, NEWS


def test_a_notice_with_another_reference_is_refunded_only_once_a_line_shows_it() -> None:
    """A gateway repeats a success under another reference: no line, no refund."""
    twice = Twice.begun()
    twice.confirmed()
    twice.line_of_debit()
    twice.confirmed("B2")
    second = next(p for p in twice.s.books.loans["L1"].portions if p.waiting_minor)
    answer = twice.s.refund(second.id)
    assert isinstance(answer, Refusal)
    assert answer.rule == "refund.unproven"
    kinds = [case.kind for case in twice.s.books.cases.values()]
    assert kinds.count(CaseKind.SURPLUS) == 1
    twice.s.check()
