"""Orders that link a waiting bank line with a loan's money, and those that undo the link."""

from dataclasses import replace
from datetime import date

from domain.ledger import accounts, bookings
from domain.loan import closure
from domain.loan.aggregate import LineState, Match, Receipt
from domain.loan.change import Change, Refusal
from domain.loan.commands import RecordPayment
from domain.loan.decide.lines import open_case_of_line
from domain.loan.decide.money import count_proof, numbers_of, place_waiting, receive_free, take_back
from domain.loan.decide.returns import reopen
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.matching import MatchLine, UndoMatch, WithdrawPayment


def match_line(work: Work, order: MatchLine) -> Change | Refusal:
    """A person says whose money waits on a line; a payment that nobody reported is received so."""
    loan, line = work.loan(order.loan_id), work.lines.get(order.line)
    if line is None:
        return Refusal("match.line", f"no line {order.line}")
    if line.currency != loan.currency:
        return Refusal("match.currency", f"the line is in {line.currency}, not {loan.currency}")
    if not 0 < order.amount_minor <= abs(line.open_minor):
        return Refusal("match.amount", f"above zero and at most the {abs(line.open_minor)} open")
    known = loan.receipt(order.reference)
    if known is None and order.reference in work.aggregates.receipts:
        return Refusal("match.reference", f"{order.reference} is money of another loan")
    is_return = line.open_minor < 0
    if known is None and is_return:
        return Refusal("match.return", f"no receipt {order.reference} that could have come back")
    if known is not None and order.amount_minor > _provable(known, is_return=is_return):
        most = _provable(known, is_return=is_return)
        return Refusal("match.receipt", f"{most} of receipt {known.id} want proof")
    if known is None:
        value_on = min(line.value_on or line.booked_on, work.today(loan.id))
        receive_transfer(work, order, value_on)
    minor = -order.amount_minor if is_return else order.amount_minor
    match = Match(loan.id, order.reference, minor)
    _identify(work, line, match, "return_identified" if is_return else "identified")
    place_waiting(work, loan.id)
    return work.done(loan.id, order.number, "matched")


def undo_match(work: Work, order: UndoMatch) -> Change | Refusal:
    """A line does not prove a receipt after all: both stand as if it had not come together."""
    loan, line = work.loan(order.loan_id), work.lines.get(order.line)
    if line is None:
        return Refusal("match.line", f"no line {order.line}")
    mine = [m for m in line.matches if (m.loan_id, m.receipt) == (loan.id, order.reference)]
    if not mine:
        return Refusal("match.none", f"line {line.id} proves nothing of {order.reference}")
    for match in mine:
        _take_proof_back(work, work.lines[line.id], match)
    for number in numbers_of(work.receipt(loan.id, order.reference)):
        paying = closure.paying(work.loan(loan.id), work.item(loan.id, number))
        named = any(receipt.id == order.reference for receipt in paying)
        if named and work.can(loan.id, number, Event.MATCH_UNDONE):
            work.move(loan.id, number, Event.MATCH_UNDONE, f"line {line.id}")
    return work.done(loan.id, order.number, "match undone")


def withdraw_payment(work: Work, order: WithdrawPayment) -> Change | Refusal:
    """A recorded payment was none: what it paid is owed again. Its two legs offset each other."""
    loan = work.loan(order.loan_id)
    receipt = loan.receipt(order.reference)
    if receipt is None or receipt.source != "transfer":
        return Refusal("payment.unknown", f"nobody recorded a payment {order.reference} here")
    if receipt.returned_minor:
        return Refusal("payment.withdrawn", f"payment {receipt.id} is taken back already")
    if receipt.settled_minor:
        lines = ", ".join(receipt.lines)
        return Refusal("payment.proven", f"undo its match first: {lines} prove {receipt.id}")
    today = work.today(loan.id)
    numbers = take_back(work, loan.id, receipt.id, receipt.amount_minor, today, "withdrawn")
    gone = work.receipt(loan.id, receipt.id)
    whole = receipt.amount_minor
    work.put_receipt(loan.id, replace(gone, settled_minor=whole, return_settled_minor=whole))
    reopen(work, loan.id, numbers, f"withdrawn {receipt.id}")
    for number in numbers_of(receipt):
        item = work.item(loan.id, number)
        if not closure.unproven(work.loan(loan.id), item):
            work.close_case(f"unsettled/{loan.id}/{number}")
        if not item.attempts and work.can(loan.id, number, Event.RETRY_ORDERED):
            # No debit has failed: it is due as if the payment had never been heard of.
            work.move(loan.id, number, Event.RETRY_ORDERED, "never presented")
    place_waiting(work, loan.id)
    return work.done(loan.id, order.number, "payment withdrawn")


def identify_waiting(work: Work, loan_id: str, reference: str) -> None:
    """Lines that came before anybody reported their payment, and carry its very reference."""
    for line_id in work.aggregates.waiting.get(reference, ()):
        line = work.lines[line_id]
        named = [item for item in line.waiting if reference in item.refs]
        for item in named if line.currency == work.loan(loan_id).currency else ():
            unsettled = work.receipt(loan_id, reference).unsettled_minor
            proven = min(item.minor, unsettled, work.lines[line_id].open_minor + item.fee_minor)
            if proven > 0:
                match = Match(loan_id, reference, proven, item.fee_minor)
                _identify(work, work.lines[line_id], match, "identified")


def _identify(work: Work, line: LineState, match: Match, event: str) -> None:
    """Post that part of a waiting line proves a receipt, and keep line, receipt and case true."""
    loan, receipt = work.loan(match.loan_id), work.receipt(match.loan_id, match.receipt)
    work.post(bookings.identify(loan, receipt, match, line.id, line.booked_on, event))
    waiting = tuple(item for item in line.waiting if match.receipt not in item.refs)
    matches = (*line.matches, match)
    _put_open(work, replace(line, matches=matches, waiting=waiting), match.booked_minor)
    count_proof(work, match, line.id)


def receive_transfer(work: Work, order: MatchLine | RecordPayment, value_on: date) -> None:
    """Book money that came outside every rail: told by a person, proven by a line."""
    receipt = Receipt(
        id=order.reference,
        source="transfer",
        amount_minor=order.amount_minor,
        value_on=value_on,
        received_at=work.at,
        clearing_account=accounts.clearing("transfer"),
        number=order.number,
    )
    receive_free(work, order.loan_id, receipt, "payment_recorded")


def _take_proof_back(work: Work, line: LineState, match: Match) -> None:
    back = replace(match, minor=-match.minor, fee_minor=-match.fee_minor)
    loan, receipt = work.loan(match.loan_id), work.receipt(match.loan_id, match.receipt)
    today = work.today(loan.id)
    work.post(bookings.identify(loan, receipt, back, line.id, today, "match_undone"))
    if receipt.held_minor:
        work.post(bookings.hold_direct(loan, receipt, -receipt.held_minor, today))
    matches = tuple(other for other in line.matches if other is not match)
    _put_open(work, replace(line, matches=matches), back.booked_minor)
    lines = tuple(name for name in receipt.lines if name != line.id)
    work.put_receipt(
        loan.id,
        replace(
            receipt,
            settled_minor=receipt.settled_minor - max(match.minor, 0),
            return_settled_minor=receipt.return_settled_minor - max(-match.minor, 0),
            held_minor=0,
            lines=lines,
        ),
    )


def _put_open(work: Work, line: LineState, explained: int) -> None:
    line = replace(line, open_minor=line.open_minor - explained)
    work.put_line(line)
    work.close_case(f"line/{line.id}")
    if line.open_minor:
        open_case_of_line(work, line)


def _provable(receipt: Receipt, *, is_return: bool) -> int:
    """Minor units of a receipt, or of what went back of it, that no line proves yet."""
    if is_return:
        return receipt.returned_minor - receipt.return_settled_minor
    return receipt.unsettled_minor
