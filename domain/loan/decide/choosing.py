"""Which payment a person means who matches a line by hand, and how much of the line is left."""

from domain.kernel.change import Refusal
from domain.loan.aggregate import LineState
from domain.loan.decide.references import payments_called
from domain.loan.decide.work import Work
from domain.loan.matching import MatchLine
from domain.money import amount_text
from domain.payment.payment import Payment

Choice = tuple[Payment | None, bool, int]
"""The payment (None: the line makes a new one), whether it came back, the fee inside the line."""


def choose(work: Work, line: LineState, order: MatchLine) -> Choice | Refusal:
    """Find the payment that an order to match means.

    On a line that is open both ways, money that came is tried first. The payment of that id comes
    before those that have it as a reference. Of several of one reference, the only one with so much
    unproven is meant. If only its return reported a debit, the line says how much was taken. A
    reference that stands on the line is the payer's, though it looks like the id of a debit's
    payment: that one is meant where nothing else is known under it.
    """
    by_id, shared = payments_called(work, order.loan_id, order.reference)
    wanted = order.amount_minor
    if min(wanted, order.fee_minor) < 0 or not wanted + order.fee_minor:
        return Refusal("match.amount", "an amount or a fee above zero")
    is_on_line = any(order.reference in item.refs for item in line.waiting)
    debits = [payment for payment in by_id if is_on_line and payment.order_no is not None]
    named = [payment for payment in by_id if payment not in debits]
    for is_return in (False, True):
        if not room_of(line, is_return=is_return):
            continue
        fee = order.fee_minor or _fee_of(line, order, is_return=is_return)
        for group in (named, shared):
            if found := _fitting(group, order, is_return=is_return):
                return found if isinstance(found, Refusal) else (found, is_return, fee)
        if wanted and _is_first_news(work, order, [*named, *shared], is_return=is_return):
            return None, is_return, fee
        if found := _fitting([] if shared else debits, order, is_return=is_return):
            return found if isinstance(found, Refusal) else (found, is_return, fee)
    return _refusal(line, order, [*by_id, *shared])


def _fitting(
    named: list[Payment], order: MatchLine, *, is_return: bool
) -> Payment | Refusal | None:
    """The one payment of which so much is unproven; a refusal where several are alike."""
    wanted = order.amount_minor
    open_of = [(payment, _provable(payment, is_return=is_return)) for payment in named]
    fitting = [
        payment
        for payment, open_minor in open_of
        if wanted <= open_minor or (payment.inferred and not is_return)
    ]
    if wanted and len(fitting) > 1:
        exact = [payment for payment, open_minor in open_of if open_minor == wanted]
        fitting = exact if len(exact) == 1 else fitting
    if len(fitting) > 1:
        ids = ", ".join(payment.id for payment in fitting)
        return Refusal("match.several", f"several fit, name one by its id: {ids}")
    return fitting[0] if fitting else None


def beyond_room(line: LineState, room: int) -> Refusal:
    """An order asks for more of a line than is open, or for nothing."""
    return Refusal("match.amount", f"above zero and at most the {_text(room, line)} open")


def room_of(line: LineState, *, is_return: bool) -> int:
    """Minor units of a line that are open in one direction; a netted line is open in both."""
    sign = -1 if is_return else 1
    booked = [item.booked_minor for item in line.waiting]
    both = any(minor > 0 for minor in booked) and any(minor < 0 for minor in booked)
    if both:
        return sum(sign * minor for minor in booked if sign * minor > 0)
    return max(sign * (line.open_minor + line.charges_minor), 0)


def _provable(payment: Payment, *, is_return: bool) -> int:
    """Minor units of a payment, or of what can have gone back of it, that no line proves yet."""
    return payment.returnable_minor if is_return else payment.unsettled_minor


def _is_first_news(work: Work, order: MatchLine, named: list[Payment], *, is_return: bool) -> bool:
    """Whether the line is the first news of money: every payment of that name is proven.

    The number of another loan's order names money of that loan. That of an order whose money is
    all proven names another execution of it. A return is news of an order of this loan alone, of
    which nothing is known to have been taken.
    """
    ref = order.reference
    if is_return:
        return work.aggregates.orders.get(ref) == order.loan_id and not named
    if work.aggregates.orders.get(ref, order.loan_id) != order.loan_id:
        return False
    called = (p for p in work.payments.values() if ref in {p.id, p.order_no, p.reference})
    ours = any(ref == payment.id for payment in named)
    return not ours and not any(payment.unsettled_minor for payment in called)


def _fee_of(line: LineState, order: MatchLine, *, is_return: bool) -> int:
    """The fee that the line states for just this amount, if it does."""
    minor = -order.amount_minor if is_return else order.amount_minor
    return next((item.fee_minor for item in line.waiting if item.minor == minor), 0)


def _refusal(line: LineState, order: MatchLine, named: list[Payment]) -> Refusal:
    is_return = line.open_minor < 0
    room = max(room_of(line, is_return=False), room_of(line, is_return=True))
    if order.amount_minor > room or not room:
        return beyond_room(line, room)
    if not named:
        if is_return:
            return Refusal("match.return", f"no payment {order.reference} could have come back")
        return Refusal("match.reference", f"{order.reference} is money of another loan")
    most = max(_provable(payment, is_return=is_return) for payment in named)
    why = f"lines can prove at most {_text(most, line)} more of payment {order.reference}"
    return Refusal("match.payment", why)


def _text(minor: int, line: LineState) -> str:
    return amount_text(minor, line.currency)
