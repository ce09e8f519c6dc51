"""Booked lines that name a payout: they show that it left, or that it came back."""

from dataclasses import replace

from domain.loan.aggregate import LineState, PayoutMatch, WaitingItem
from domain.loan.decide.linecases import close_cases_of_line, open_case_of_line
from domain.loan.decide.work import Work
from domain.payout import outcomes
from domain.payout.payout import Payout
from domain.statement.statement import LineItem, StatementLine


def book_payout(work: Work, line: StatementLine, item: LineItem) -> PayoutMatch | None:
    """What an item of a line shows of the payout that it names; None where it names none, or waits.

    Only the whole amount from the very account proves a payout, or that it came back; anything else
    that names one waits, with a case. What came back before its line of leaving waits as well.
    """
    payout = _named(work, item)
    if payout is None:
        return None
    minor, fee = item.amount_minor, item.charges_minor
    if not outcomes.fits(payout, line.account, line.currency, minor):
        outcomes.misfit(work, payout, line.id, minor, line.currency)
        return None
    if minor < 0:
        outcomes.prove(work, payout, line.id, fee, line.booked_on)
    else:
        outcomes.come_back(work, payout, line.id, fee, line.booked_on, waited=False)
    return PayoutMatch(payout.key, minor, fee)


def book_waiting_return(work: Work, match: PayoutMatch) -> None:
    """A payout is proven by now: a line of its return that came before is booked."""
    payout = work.payouts[match.payout]
    for line_id in work.aggregates.waiting.get(payout.order_no, ()):
        line = work.lines[line_id]
        for item in line.waiting:
            payout = work.payouts[match.payout]
            names_it = payout.order_no in item.refs
            if names_it and outcomes.fits(payout, line.account, line.currency, item.minor):
                fee, on = item.fee_minor, line.booked_on
                outcomes.come_back(work, payout, line_id, fee, on, waited=True)
                _explained(work, line, item, payout)
                break


def _explained(work: Work, line: LineState, item: WaitingItem, payout: Payout) -> None:
    """An item of a waiting line is explained by a payout; what is left of the line waits on."""
    match = PayoutMatch(payout.key, item.minor, item.fee_minor)
    line = replace(
        line,
        open_minor=line.open_minor - match.booked_minor,
        waiting=tuple(other for other in line.waiting if other is not item),
        payouts=(*line.payouts, match),
    )
    work.put_line(line)
    named = close_cases_of_line(work, line.id)
    if line.is_open:
        open_case_of_line(work, line, named)


def _named(work: Work, item: LineItem) -> Payout | None:
    """The payout whose order number an item carries."""
    by_order = {payout.order_no: payout for payout in work.payouts.values()}
    return next((by_order[ref] for ref in item.references if ref in by_order), None)
