"""Orders that link a waiting bank line with a loan's money, and those that undo the link."""

from collections.abc import Sequence
from dataclasses import replace

from domain.kernel.change import Refusal
from domain.loan import bookings, casekeys, closure
from domain.loan.aggregate import LineState, Match, WaitingItem, batches_among
from domain.loan.change import Change
from domain.loan.decide.attempts import find, reopen
from domain.loan.decide.choosing import beyond_room, choose, room_of
from domain.loan.decide.creditlines import payment_of_order
from domain.loan.decide.disputes import portions_of_order
from domain.loan.decide.linecases import (
    Named,
    close_cases_of_line,
    keep_case_of_line,
    open_case_of_line,
    other_currency,
    settle_contradiction,
)
from domain.loan.decide.money import (
    count_proof,
    look_at_places,
    numbers_of,
    on_account,
    place_waiting,
    proven,
    take_back,
)
from domain.loan.decide.references import (
    payments_called,
    portions_of,
    spread,
    spread_back,
)
from domain.loan.decide.refunding import cancel_reserved, ordered_refund
from domain.loan.decide.returnlines import take_back_by_line
from domain.loan.decide.returns import infer_execution
from domain.loan.decide.transfers import check_loans, receive_transfer
from domain.loan.decide.undoing import undo_return
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.matching import Basis, MatchLine, UndoMatch, WithdrawPayment
from domain.money import amount_text
from domain.payment.payment import Payment
from domain.payment.portion import Portion


def match_line(work: Work, order: MatchLine) -> Change | Refusal:
    """Match a waiting line with a payment, or book the payment of which it is the first news."""
    loan, line = work.loan(order.loan_id), work.lines.get(order.line)
    if order.basis is Basis.FORCED and not (order.approver or "").strip():
        return Refusal("match.approver", "a forced match needs somebody else to approve it")
    if line is None:
        return Refusal("match.line", f"no line {order.line}")
    if line.currency != loan.currency:
        return Refusal("match.currency", f"the line is in {line.currency}, not {loan.currency}")
    chosen = choose(work, line, order)
    if isinstance(chosen, Refusal):
        return chosen
    known, is_return, fee = chosen
    if refusal := _beyond_line(line, order, fee, is_return=is_return):
        return refusal
    if refusal := check_loans(work, order):
        return refusal
    if known is None and is_return and (refusal := _beyond_order(work, order)):
        return refusal
    if order.also and known is not None:
        why = f"payment {known.id} is on the books with its loans; leave out also"
        return Refusal("match.also", why)
    if order.also and order.reference in work.aggregates.orders:
        return Refusal("match.also", f"order {order.reference} is of one loan; leave out also")
    if known is None and is_return:
        infer_execution(work, loan.id, order.reference, order.amount_minor)
        payment_id = portions_of_order(work, loan.id, order.reference)[0].id
    elif known is None:
        ours = work.aggregates.orders.get(order.reference) == loan.id
        payment_id = _first_news(work, order, line, order.reference if ours else None)
    elif known.inferred and not is_return:
        payment_id = _first_news(work, order, line, known.order_no)
    else:
        payment_id = known.id
    payment, minor = work.payment(payment_id), order.amount_minor
    if not minor:
        matches = [Match(loan.id, payment_id, 0, fee)]
    elif is_return:
        matches = spread_back(work, payment, minor, fee)
        take_back_matched(work, matches, line)
    else:
        matches = spread(work, payment, minor, fee)
    identify(work, line, matches, "return_identified" if is_return else "identified")
    settle_contradiction(work, line.id, loan.id)
    place_waiting(work, loan.id)
    return work.done(loan.id, order.number, "matched")


def _first_news(work: Work, order: MatchLine, line: LineState, order_no: str | None) -> str:
    """The line is the first news of money: of a debit order, else of a transfer.

    A value date before the loan was paid out says nothing: the booking date stands for it.
    """
    loan, minor = work.loan(order.loan_id), order.amount_minor
    stated = line.value_on or line.booked_on
    value_on = stated if stated >= loan.disbursed_on else line.booked_on
    if order_no is not None:
        return payment_of_order(work, loan.id, order_no, minor, value_on).id
    return receive_transfer(work, order, min(value_on, work.today(loan.id)))


def _beyond_line(line: LineState, order: MatchLine, fee: int, *, is_return: bool) -> Refusal | None:
    """Why a line cannot hold so much: an amount and its fee must lie within what is open of it."""
    room = room_of(line, is_return=is_return)
    booked = order.amount_minor + fee if is_return else order.amount_minor - fee
    if not 0 < booked <= room:
        return beyond_room(line, room)
    return None


def _beyond_order(work: Work, order: MatchLine) -> Refusal | None:
    """Why so much cannot have come back of an order of which nothing is known to be taken."""
    _, attempt = find(work, order.loan_id, order.reference)
    if order.amount_minor <= attempt.amount_minor:
        return None
    currency = work.loan(order.loan_id).currency
    ordered = amount_text(attempt.amount_minor, currency)
    return Refusal("match.payment", f"order {order.reference} is for {ordered}; the rest is a fee")


def undo_match(work: Work, order: UndoMatch) -> Change | Refusal:
    """Undo a match: line and payment stand as before it."""
    loan, line = work.loan(order.loan_id), work.lines.get(order.line)
    if line is None:
        return Refusal("match.line", f"no line {order.line}")
    mine: list[Match] = []
    for group in payments_called(work, loan.id, order.reference):
        ids = {payment.id for payment in group}
        mine = mine or [match for match in line.matches if match.payment in ids]
    if not mine:
        return Refusal("match.none", f"line {line.id} proves nothing of {order.reference}")
    if refund := ordered_refund(work, mine):
        why = f"refund {refund} was ordered of the money that line {line.id} proves"
        return Refusal("match.refunded", why)
    for match in mine:
        cancel_reserved(work, match.loan_id, f"the match of line {line.id} is undone")
    for match in mine:
        _take_proof_back(work, work.lines[line.id], match)
        undo_return(work, match.loan_id, match.payment, line.id)
    for loan_id in dict.fromkeys(match.loan_id for match in mine):
        _reopen_unproven(work, loan_id, {m.payment for m in mine if m.loan_id == loan_id}, line)
        place_waiting(work, loan_id)
    return work.done(loan.id, order.number, "match undone")


def _reopen_unproven(work: Work, loan_id: str, proven: set[str], line: LineState) -> None:
    """Installments of a loan that were closed by a proof which is undone are open again."""
    loan, portions = work.loan(loan_id), [work.portion(loan_id, name) for name in proven]
    for number in sorted({number for portion in portions for number in numbers_of(loan, portion)}):
        paying = closure.paying(work.loan(loan_id), work.item(loan_id, number))
        named = any(portion.id in proven for portion in paying)
        if named and work.can(loan_id, number, Event.MATCH_UNDONE):
            work.move(loan_id, number, Event.MATCH_UNDONE, f"line {line.id}")


def withdraw_payment(work: Work, order: WithdrawPayment) -> Change | Refusal:
    """Take back a payment that was recorded by mistake: what it paid is owed again.

    Coming and going offset each other in clearing.
    """
    loan = work.loan(order.loan_id)
    by_id, shared = payments_called(work, loan.id, order.reference)
    found = [payment for payment in by_id if payment.source == "transfer"] or [
        payment for payment in shared if payment.source == "transfer"
    ]
    if not found:
        return Refusal("payment.unknown", f"nobody recorded a payment {order.reference} here")
    standing = [payment for payment in found if not payment.returned_minor]
    if not standing:
        return Refusal("payment.withdrawn", f"payment {order.reference} is taken back already")
    if len(standing) > 1:
        ids = ", ".join(payment.id for payment in standing)
        return Refusal("payment.several", f"name one by its id: {ids}")
    payment = standing[0]
    if payment.settled_minor:
        lines = ", ".join(payment.lines)
        return Refusal("payment.proven", f"undo its match first: {lines} prove {payment.id}")
    for loan_id, portion in portions_of(work, payment):
        _withdraw(work, loan_id, portion)
    return work.done(loan.id, order.number, "payment withdrawn")


def _withdraw(work: Work, loan_id: str, portion: Portion) -> None:
    """What a portion paid is owed again, and nothing of it waits for a bank line any more."""
    whole, today = portion.amount_minor, work.today(loan_id)
    numbers = take_back(work, loan_id, portion.id, whole, today, "withdrawn")
    gone = work.portion(loan_id, portion.id)
    work.put_portion(loan_id, replace(gone, settled_minor=whole, return_settled_minor=whole))
    reopen(work, loan_id, numbers, f"withdrawn {portion.id}")
    for number in numbers_of(work.loan(loan_id), portion):
        if not closure.unproven(work.loan(loan_id), work.item(loan_id, number)):
            work.close_case(casekeys.unsettled(loan_id, number))
    place_waiting(work, loan_id)


def lines_waiting(work: Work, ref: str) -> list[LineState]:
    """The lines that wait under a reference: by booking date, those of one day by their ids."""
    found = (work.lines[line_id] for line_id in work.aggregates.waiting.get(ref, ()))
    return sorted(found, key=lambda line: (line.booked_on, line.id))


def identify_waiting(work: Work, payment_id: str) -> None:
    """Lines that came before anybody reported their payment, and carry its very reference.

    One of its amount is taken alone, before all one of its day; otherwise they prove it in parts,
    in the order of `lines_waiting`. Those that are left may be about its loans, as lines that come
    after the payment are.
    """
    reference = work.payment(payment_id).reference
    if batches_among((reference,)):
        return  # a payer whose reference looks like that of a batch means a payment of their own
    of = portions_of(work, work.payment(payment_id))
    about = [(loan_id, portion.number) for loan_id, portion in of]
    fitting = []
    for line in lines_waiting(work, reference):
        if other_currency(work, line, about):
            name_in_case(work, line.id, about)
        else:
            fitting.append(line)
    for is_return in (False, True):
        found = [
            (line.id, item)
            for line in fitting
            for item in line.waiting
            if reference in item.refs and (item.minor < 0) is is_return
        ]
        taken = _fitting(work, work.payment(payment_id), found)
        for line_id, item in taken:
            _identify_item(work, work.payment(payment_id), work.lines[line_id], item)
        for line_id, _ in (pair for pair in found if pair not in taken):
            _put_open(work, work.lines[line_id], 0, _about(work, work.payment(payment_id)))


def _fitting(
    work: Work, payment: Payment, found: list[tuple[str, WaitingItem]]
) -> list[tuple[str, WaitingItem]]:
    """The waiting item of just the payment's amount, at best also of its day; else all of them."""
    same = [pair for pair in found if abs(pair[1].minor) == payment.amount_minor]
    same.sort(key=lambda pair: work.lines[pair[0]].value_on != payment.value_on)
    return same[:1] or found


def _identify_item(work: Work, payment: Payment, line: LineState, item: WaitingItem) -> None:
    is_return = item.minor < 0
    spread_over = spread_back if is_return else spread
    matches = spread_over(work, payment, abs(item.minor), item.fee_minor)
    if not matches:
        return
    left = abs(item.minor) - sum(abs(match.minor) for match in matches)
    # What the payment cannot explain of the item may be about it all the same, as in a line that
    # comes after its payment.
    about = _about(work, payment) if left else []
    if is_return:
        take_back_matched(work, matches, line)
    identify(work, line, matches, "return_identified" if is_return else "identified", about)


def _about(work: Work, payment: Payment) -> list[Named]:
    """The loans and installments that a payment was taken for."""
    return [(loan_id, portion.number) for loan_id, portion in portions_of(work, payment)]


def take_back_matched(work: Work, matches: Sequence[Match], line: LineState) -> None:
    """Book what of the returns that a line shows nothing else has reported."""
    for match in matches:
        portion = work.portion(match.loan_id, match.payment)
        take_back_by_line(work, match.loan_id, portion, -match.minor, line.booked_on, None)


def identify(
    work: Work,
    line: LineState,
    matches: Sequence[Match],
    event: str,
    about: Sequence[Named] = (),
) -> None:
    """Post what a waiting line proves of payments, and update line, portions, payments and cases.

    `about`: whose gates what is left of the line keeps shut, besides those it named before.
    """
    if fee := line.charges_minor:
        clearing = work.payment(matches[0].payment).clearing_account
        work.post(bookings.waiting_fee(line, clearing))
        line = replace(line, open_minor=line.open_minor + fee, charges_minor=0)
    for match in matches:
        loan, portion = work.loan(match.loan_id), work.portion(match.loan_id, match.payment)
        after = proven(portion, match, line)
        work.post(bookings.identify(loan, portion, after, match, line, line.booked_on, event))
        waiting = _without(line.waiting, match)
        line = replace(line, matches=(*line.matches, match), waiting=waiting)
        if match.minor:
            count_proof(work, match, line)
    _put_open(work, line, sum(match.booked_minor for match in matches), about)


def _without(waiting: tuple[WaitingItem, ...], match: Match) -> tuple[WaitingItem, ...]:
    """What is left of the items of a line, once so much of its booked amount is explained.

    First the item of just this amount and fee, then in their order.
    """
    exact = (match.minor, match.fee_minor)
    for index, item in enumerate(waiting):
        if (item.minor, item.fee_minor) == exact:
            return (*waiting[:index], *waiting[index + 1 :])
    booked, fee = match.booked_minor, match.fee_minor
    left: list[WaitingItem] = []
    for known in waiting:
        taken = min(known.booked_minor, booked, key=abs) if known.booked_minor * booked > 0 else 0
        reported = min(fee, known.fee_minor, key=abs) if taken else 0
        booked, fee = booked - taken, fee - reported
        if not taken:
            left.append(known)
        elif rest := known.booked_minor - taken:
            left.append(
                WaitingItem("", rest + known.fee_minor - reported, known.fee_minor - reported)
            )
    return tuple(left)


def _take_proof_back(work: Work, line: LineState, match: Match) -> None:
    back = replace(match, minor=-match.minor, fee_minor=-match.fee_minor)
    loan, portion = work.loan(match.loan_id), work.portion(match.loan_id, match.payment)
    today = work.today(loan.id)
    after = replace(
        portion,
        settled_minor=portion.settled_minor - max(match.minor, 0),
        return_settled_minor=portion.return_settled_minor - max(-match.minor, 0),
        proven_on=on_account(portion, line.account, -match.minor),
    )
    work.post(bookings.identify(loan, portion, after, back, line, today, "match_undone"))
    work.put_portion(loan.id, after)
    payment = work.payment(portion.id)
    lines = tuple(name for name in payment.lines if name != line.id)
    work.put_payment(replace(payment, lines=lines))
    matches = tuple(other for other in line.matches if other is not match)
    waiting = (*line.waiting, _waiting_again(match))
    _put_open(work, replace(line, matches=matches, waiting=waiting), back.booked_minor)
    work.close_case(casekeys.other_account(line.id, portion.id, loan.id))
    look_at_places(work, loan.id, portion.id)


def _waiting_again(match: Match) -> WaitingItem:
    """What a match had explained of its line; whose it is a person says, so it has no reference."""
    minor = match.minor or -match.fee_minor
    return WaitingItem("", minor, match.fee_minor if match.minor else 0)


def name_in_case(work: Work, line_id: str, about: Sequence[Named]) -> None:
    """Have the case of a line that waits name whom it is about, as news that came later says."""
    _put_open(work, work.lines[line_id], 0, about)


def _put_open(work: Work, line: LineState, explained: int, about: Sequence[Named] = ()) -> None:
    line = replace(line, open_minor=line.open_minor - explained)
    work.put_line(line)
    if line.is_open and keep_case_of_line(work, line, about):
        return
    named = close_cases_of_line(work, line.id)
    if line.is_open:
        open_case_of_line(work, line, list(dict.fromkeys([*named, *about])))
