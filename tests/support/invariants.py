"""What must hold of books in memory after every step, added up from their entries alone."""

from collections import defaultdict

from domain.audit.moves import Move, is_allowed
from domain.debit.attempt import MOVES, AttemptState
from domain.debit.history import NEVER_PRESENTED
from domain.debit.mandate import MANDATE
from domain.kernel.change import Transition
from domain.ledger.entry import Posting
from domain.loan import closure, payables, placing, sharing
from domain.loan.accrual import excused_days
from domain.loan.aggregate import Installment, Loan
from domain.loan.change import Change
from domain.loan.lifecycle import TRANSITIONS, Event, State
from domain.loan.retrying import NEVER_AGAIN
from domain.loan.view import INSTALLMENT, installment_of
from domain.payment.payment import Payment
from domain.payment.portion import RefundPart, RefundStage, ShareFate
from domain.payout.lifecycle import GONE, LIVE, WAITING, PayoutState
from domain.payout.payout import Payout, Refund
from domain.pricing.amounts import Amounts, Component
from domain.registry import KINDS
from tests.support.memory import MemoryBooks

OUT = {State.PRESENTED, State.IN_DOUBT}
PAID = {State.CLEARING, State.SETTLED, State.RELEASED, State.CLOSED}
OF_PAYMENTS = {"clearing", "opening", "suspense", "advance", "payable", "held_by", "receivable"}
TAKEN_BACK, SET_OFF = ShareFate.TAKEN_BACK, ShareFate.SET_OFF
Key = tuple[object, ...]


class Sums:
    """Balances by item, debit positive, from postings alone."""

    def __init__(self, postings: list[Posting]) -> None:
        self.parts: defaultdict[Key, int] = defaultdict(int)
        self.portions: defaultdict[Key, int] = defaultdict(int)
        self.lying: defaultdict[Key, int] = defaultdict(int)
        self.places: defaultdict[str | None, int] = defaultdict(int)
        self.accounts: defaultdict[str, int] = defaultdict(int)
        self.payable: defaultdict[tuple[str, tuple[str | None, int | None]], int] = defaultdict(int)
        for posting in postings:
            family = posting.account.split("/")[0]
            self.accounts[posting.account] += posting.minor
            if posting.component is not None:
                key = (family, posting.loan, posting.number, posting.component)
                self.parts[key] += posting.minor
            if family == "payable":
                self.payable[(posting.account, (posting.loan, posting.number))] += posting.minor
            self.places[posting.place] += posting.minor
            if posting.payment is not None:
                self.portions[(family, posting.loan, posting.payment)] += posting.minor
            if posting.payment is not None and family in OF_PAYMENTS:
                number = posting.number if posting.component else None
                item = (posting.account, number, posting.component, posting.party)
                self.lying[(posting.loan, posting.payment, *item, posting.place)] += posting.minor

    def amounts(self, family: str, loan: str, number: int) -> Amounts:
        """What a family of accounts holds of an installment."""
        return Amounts(*(self.parts[(family, loan, number, c.value)] for c in Component))


def check(books: MemoryBooks) -> None:
    """Everything that must hold at rest."""
    sums = Sums([posting for entry in books.entries for posting in entry.postings])
    for loan in books.loans.values():
        _check_loan(books, loan, sums)
    assert not any(sums.places.values()), sums.places
    lies = {
        (loan.id, portion.id, *position.item, position.place): minor
        for loan in books.loans.values()
        for portion in loan.portions
        for position, minor in placing.lying(loan, portion).items()
    }
    assert lies == {key: minor for key, minor in sums.lying.items() if minor}
    _check_payables(books, sums)
    for payment in books.payments.values():
        _check_payment(books, payment)
    for line in books.lines.values():
        assert sums.accounts[f"suspense/line/{line.id}"] == -line.open_minor, line
        if line.open_minor:
            assert f"line/{line.id}" in books.cases, line
    by_account: defaultdict[str, int] = defaultdict(int)
    for line in books.lines.values():
        by_account[line.account] += line.amount_minor
    for account, minor in by_account.items():
        assert sums.accounts[f"bank/{account}"] == minor, account


def _check_payables(books: MemoryBooks, sums: Sums) -> None:
    """Every payable item: credited = open + in live payouts + remitted (I19); payouts hold theirs.

    What a payout that came back had paid stands on either side until its loans know of it.
    """
    credited: dict[Key, int] = {
        (loan, payment, number, component, party, place): -minor
        for (loan, payment, account, number, component, party, place), minor in sums.lying.items()
        if str(account).startswith("payable/")
    }
    live: defaultdict[Key, int] = defaultdict(int)
    returned: set[Key] = set()
    for key, payout in books.payouts.items():
        if payout.refund is not None:
            _check_refund(books, payout, payout.refund)
            continue
        items = books.payout_items[key]
        assert (len(items), sum(minor for _, minor in items)) == (
            payout.items.count,
            payout.items.minor,
        ), payout
        for named, minor in items:
            item: Key = named
            live[item] += minor if payout.state in LIVE | GONE else 0
            returned |= {item} if payout.state is PayoutState.RETURNED else set()
    due: dict[Key, int] = dict(books.payables().items())
    taken: dict[Key, int] = dict(books.taken.items())
    for one in (credited.keys() | due.keys() | live.keys()) - returned:
        known = due.get(one, 0) - taken.get(one, 0)
        assert credited.get(one, 0) == known + live[one], one
        assert known >= 0, one
    for account, minor in sums.accounts.items():
        family, _, party = account.partition("/")
        mine = [one for one in books.payouts.values() if one.payee == party]
        if family == "paying":
            assert -minor == sum(one.minor for one in mine if one.state in LIVE - WAITING), account


_STAGES = {
    **dict.fromkeys(WAITING, RefundStage.RESERVED),
    **dict.fromkeys(LIVE - WAITING, RefundStage.ORDERED),
    **dict.fromkeys(GONE, RefundStage.PROVEN),
}


def _check_refund(books: MemoryBooks, payout: Payout, refund: Refund) -> None:
    """What a refund takes stands in the portions of its payment, at the stage of its state."""
    assert payout.minor == sum(minor for _, minor in refund.parts), payout
    stage = _STAGES.get(payout.state)
    for loan_id, minor in refund.parts:
        portion = books.loans[loan_id].portion(refund.payment)
        assert portion is not None
        found = [part for part in portion.refunds if part.payout == payout.key]
        expected = [RefundPart(payout.key, payout.account, minor, stage)] if stage else []
        assert found == expected, (payout, portion)


def _check_payment(books: MemoryBooks, payment: Payment) -> None:
    parts = [books.loans[name].portion(payment.id) for name in payment.loans]
    found = [part.sums for part in parts if part is not None]
    assert len(found) == len(parts) > 0, payment
    assert {part.value_on for part in parts if part is not None} == {payment.value_on}, payment
    sums = (
        payment.amount_minor,
        payment.settled_minor,
        payment.returned_minor,
        payment.return_settled_minor,
    )
    assert sums == tuple(sum(of) for of in zip(*found, strict=True)), payment
    assert min(payment.unreported_minor, payment.excess_minor) >= 0, payment


def _check_loan(books: MemoryBooks, loan: Loan, sums: Sums) -> None:
    paid: defaultdict[int, Amounts] = defaultdict(Amounts)
    for portion in loan.portions:
        found = {
            portion.clearing_account.split("/")[0]: portion.clearing_minor,
            "suspense": -portion.suspense_minor,
            "advance": -portion.advance_minor,
            "held_by": -sum(sharing.held(loan, portion).values())
            - sum(placing.held_for_others(loan, portion).values()),
            "receivable": sum(placing.held_for_others(loan, portion).values())
            + sum(payables.receivable_items(loan, portion).values())
            + portion.owed_back_minor,
        }
        for family, minor in found.items():
            assert sums.portions[(family, loan.id, portion.id)] == minor, (family, portion)
        applied = sum(part.minor for part in portion.allocations)
        parts = applied + portion.suspense_minor + portion.advance_minor + portion.refunded_minor
        came = portion.amount_minor + portion.owed_back_minor
        assert came == parts + portion.returned_minor, portion
        assert 0 <= portion.owed_back_minor <= portion.refunded_minor, portion
        case = books.cases.get(f"owed_back/{portion.id}/{loan.id}")
        assert (case.amount_minor if case else 0) == portion.owed_back_minor, portion
        assert 0 <= portion.returned_minor <= portion.amount_minor, portion
        assert min(portion.waiting_minor, portion.advance_minor) >= 0
        for part in portion.allocations:
            assert part.minor > 0
            paid[part.number] = paid[part.number].plus(part.component, part.minor)
            if portion.is_debit:
                assert part.number == portion.number, "a debit paid another installment"
        _check_waiting(books, loan, portion.id)
    held = sum(sum(sharing.held(loan, portion).values()) for portion in loan.portions)
    collected = sum(item.allocated.total for item in loan.installments)
    payable = sum(
        minor for key, minor in sums.parts.items() if key[0] == "payable" and key[1] == loan.id
    )
    moved = [portion.moved(fate) for portion in loan.portions for fate in (TAKEN_BACK, SET_OFF)]
    back, off = (sum(sum(part.values()) for part in moved[which::2]) for which in (0, 1))
    assert payable == held - collected - back + off, (payable, held, collected, back, off)
    for item in loan.installments:
        _check_item(loan, item, sums, paid[item.number])


def _check_waiting(books: MemoryBooks, loan: Loan, payment_id: str) -> None:
    """Money waits for a live attempt, or with a case."""
    portion = loan.portion(payment_id)
    assert portion is not None
    case = books.cases.get(f"surplus/{payment_id}/{loan.id}")
    cased = case.amount_minor if case else 0
    live = {item.number for item in loan.installments if item.live_attempt is not None}
    if portion.is_debit:
        live &= {portion.number or 0}
    waits = portion.waiting_minor + portion.being_refunded_minor
    assert cased <= waits, (case, portion)
    if not live:
        assert cased == waits, (case, portion)
    if portion.advance_minor:
        assert any(item.state is State.SCHEDULED for item in loan.installments), portion


def _check_item(loan: Loan, item: Installment, sums: Sums, paid: Amounts) -> None:
    where = f"{loan.id}/{item.number}"
    owed = sums.amounts("owed", loan.id, item.number)
    assert owed == item.owed, where
    assert sums.amounts("forgiven", loan.id, item.number) == item.forgiven, where
    assert sums.amounts("written_off", loan.id, item.number) == item.written_off, where
    claim = -sums.amounts("claim", loan.id, item.number)
    assert sum(item.claims.values(), Amounts()) == item.owed, where
    assert sum(item.written_off_claims.values(), Amounts()) == item.written_off, where
    for claims in (item.claims, item.written_off_claims):
        assert all(min(left.values()) >= 0 for left in claims.values()), (where, claims)
    for (account, number), minor in sums.payable.items():
        assert number != (loan.id, item.number) or minor <= 0, (account, where, minor)
    assert claim == owed + item.forgiven + item.written_off + item.subrogated, (where, claim, item)
    assert item.allocated == paid, (where, item.allocated, paid)
    assert min(owed.values()) >= 0, (where, owed)
    live = item.live_attempt
    assert (live is not None) == (item.state in OUT), (where, item.state)
    if item.state in PAID:
        assert not item.owed.total, (where, item)
        assert not item.written_off.total, (where, item)
    if item.state in {State.DUE, State.RETRYING, State.DELINQUENT, *OUT}:
        assert item.owed.total > 0, (where, item)
    _check_attempts(loan, item)


def _check_attempts(loan: Loan, item: Installment) -> None:
    """One live attempt at a time, and never more than rail, mandate and product allow."""
    presented = [a for a in item.attempts if a.state not in NEVER_PRESENTED]
    assert [a.number for a in item.attempts] == list(range(1, len(item.attempts) + 1))
    for earlier, after in zip(item.attempts, item.attempts[1:], strict=False):
        assert earlier.ended_at is not None
        assert earlier.ended_at <= after.intended_at
        known_at = earlier.last_news_at
        assert known_at is not None
        if earlier.state is AttemptState.DECLINED and known_at < after.intended_at:
            assert earlier.outcome_class not in NEVER_AGAIN
    assert len(presented) <= 6  # the test rail's own limit
    # An order that was thought never to have arrived did not count until the rail had it after all.
    found_late = [a for a in presented if a.state is AttemptState.DECLINED and a.returned_at]
    days = [a.intended_at.date() for a in presented if a not in found_late]
    assert all(days.count(day) <= 2 for day in days)
    assert isinstance(excused_days(loan, item, item.due_on), frozenset)


def check_moves(transitions: list[Transition]) -> None:
    """Every move stands in a table."""
    events = {event.value for event in Event}
    for move in transitions:
        if move.subject.kind == MANDATE:
            one = Move(MANDATE, move.source, move.target, move.event, of_order=False)
            assert is_allowed(one), move
            continue
        if move.subject.kind != INSTALLMENT:
            kind = KINDS[move.subject.kind]
            moves = {
                (str(source), str(event)): str(to) for (source, event), to in kind.moves.items()
            }
            assert not move.source or moves[move.source, move.event] == move.target, move
            continue
        if move.order_no is not None and move.event == "attempt" and move.source:
            assert AttemptState(move.target) in MOVES[AttemptState(move.source)], move
        elif move.event in events and move.order_no is None and move.source:
            target = TRANSITIONS[(State(move.source), Event(move.event))]
            assert target is State(move.target), move


def check_gates(books: MemoryBooks, change: Change) -> None:
    """What passed a gate in this change is missing nothing for that gate now."""
    for move in change.transitions:
        if move.subject.kind != INSTALLMENT:
            continue
        loan_id, number = installment_of(move.subject)
        item = books.item(number, loan_id)
        if move.target not in {"RELEASED", "CLOSED"} or item.state.value != move.target:
            continue
        loan = books.loans[loan_id]
        lacks = closure.missing(loan, item, books.cases, books.rules, books.at)
        if item.state is State.RELEASED:
            lacks = tuple(lack for lack in lacks if lack.gate is closure.Gate.RELEASE)
        assert lacks == (), (move, lacks)
