"""Lines of returned money that came before what they are about was known: looked at again."""

from dataclasses import replace

from domain.loan.aggregate import LineState, WaitingItem, of_order
from domain.loan.change import Lacks
from domain.loan.decide.attempts import find
from domain.loan.decide.linecases import is_of_account
from domain.loan.decide.matching import identify, lines_waiting
from domain.loan.decide.references import payments_named
from domain.loan.decide.returnlines import book_return, ordered_under
from domain.loan.decide.work import Work
from domain.statement.statement import LineItem, StatementLine

ORDERS_MOST = 50
"""Orders under one mandate of whose news a returned item waits; the latest, by value date."""


def waiting_return(
    work: Work, line: StatementLine, item: LineItem, left: WaitingItem
) -> WaitingItem:
    """What is left of a returned item, with the orders whose news may explain it."""
    is_named = (item.end_to_end_id or "") in work.orders
    orders = _orders_of(work, item)
    if not orders:
        return left
    return replace(
        left,
        orders=orders,
        mandate_ref=None if is_named else item.mandate_ref,
        bank_ref=item.tx_id or line.servicer_ref,
        reason=item.return_reason,
    )


def _orders_of(work: Work, item: LineItem) -> tuple[str, ...]:
    """The order that a returned item names; where it names nothing, those under its mandate."""
    ref = item.end_to_end_id or ""
    if ref in work.orders:
        return (ref,)
    if payments_named(work, ref):
        return ()
    under = [
        (find(work, loan_id, order_no)[1].value_on, order_no)
        for loan_id, orders in ordered_under(work, item.mandate_ref)
        for order_no in orders
    ]
    return tuple(order_no for _, order_no in sorted(under)[-ORDERS_MOST:])


def book_returns_again(work: Work, order_no: str) -> None:
    """Book the returned items of bank lines that waited for news of an order, which has come.

    Raises:
        Lacks: an item names a mandate whose loans are not all at hand.
    """
    ref = of_order(order_no)
    for known in lines_waiting(work, ref):
        for item in known.waiting if is_of_account(work, known) else ():
            if ref not in item.refs:
                continue
            if (mandate := item.mandate_ref) is not None:
                _see_mandate(work, mandate)
            is_rest = item.mandate_ref is None and not item.ref
            matches = book_return(work, line_of(known), _item_of(item), is_rest=is_rest)
            if matches:
                identify(work, work.lines[known.id], matches, "return_identified")


def _see_mandate(work: Work, mandate: str) -> None:
    """See that every loan under a mandate is at hand: another order of one may fit as well.

    Raises:
        Lacks: the command does not name the mandate, and is to be decided again with it.
    """
    named = work.aggregates.named_mandates
    if named is not None and mandate not in named:
        raise Lacks(mandates=(mandate,))


def line_of(known: LineState) -> StatementLine:
    """A line that waits as it came, as far as it is remembered: without its items."""
    return StatementLine(
        known.id,
        known.account,
        known.booked_on,
        known.value_on or known.booked_on,
        known.amount_minor,
        known.currency,
        None,
    )


def _item_of(item: WaitingItem) -> LineItem:
    named = item.orders[0] if item.mandate_ref is None else None
    return LineItem(named, item.mandate_ref, item.bank_ref, item.minor, item.fee_minor, item.reason)
