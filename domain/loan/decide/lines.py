"""Booked bank lines: they prove payments and returns, or wait in suspense with a case."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.case.case import Case
from domain.case.kinds import OF_WAITING_LINES, CaseKind
from domain.kernel.change import Done
from domain.loan import bookings
from domain.loan.accounts import OUTSIDE
from domain.loan.aggregate import LineState, Match, PayoutMatch, WaitingItem, of_batch
from domain.loan.change import Change
from domain.loan.commands import BookLine
from domain.loan.decide.attempts import find
from domain.loan.decide.creditlines import payment_of_order
from domain.loan.decide.linecases import (
    SAID_ANEW,
    Named,
    cases_of_line,
    end_failure,
    is_of_account,
    open_case_of_line,
    open_cases,
)
from domain.loan.decide.matching import identify, lines_waiting, name_in_case
from domain.loan.decide.money import numbers_of, prove
from domain.loan.decide.payoutlines import book_payout, book_waiting_return
from domain.loan.decide.references import payments_named, portions_of, spread
from domain.loan.decide.returnlines import book_return, under_mandate
from domain.loan.decide.waitingreturns import book_returns_again, line_of, waiting_return
from domain.loan.decide.work import Work
from domain.matching.model import Key, Pass
from domain.money import amount_text
from domain.payment.payment import Payment, debit_payment_id
from domain.statement.identity import names_of
from domain.statement.said import keys_of, text_of
from domain.statement.statement import LineItem, StatementLine


def book_line(work: Work, command: BookLine) -> Change:
    """Match a booked line by its references, never by amount alone; the rest waits in suspense.

    A line whose items do not add up to its amount proves nothing and waits whole. So does one in
    another currency than its account is registered in; what it names stands with it.
    """
    line = command.line
    end_failure(work, line.id)
    if (known := work.lines.get(line.id)) is not None:
        _compare(work, known, line)
        return work.finish(Done(note="known"))
    state = LineState(
        line.id,
        line.account,
        command.statement_id,
        line.booked_on,
        line.amount_minor,
        line.currency,
        line.amount_minor,
        line.value_on,
        batch_ref=line.batch_ref,
        batch_count=line.batch_count,
        named=names_of(line),
    )
    _see_account(work, line.account)
    items = line.items or _batch_items(work, line)
    if not _adds_up(line, items):
        return _wait(work, command, state, _named(work, line, items), is_wrong=True)
    matches: list[Match] = []
    waiting = _waiting_batch(line) if not items and line.batch_ref else []
    unclear: list[LineItem] = []
    payouts: list[PayoutMatch] = []
    for item in items:
        if (shown := book_payout(work, line, item)) is not None:
            payouts.append(shown)
            continue
        mine = _book_item(work, line, item) if is_of_account(work, line) else []
        for match in mine:
            prove(work, match, state)
        matches.extend(mine)
        if left := item.amount_minor - sum(match.minor for match in mine):
            ref, *also = ("",) if mine or not item.references else item.references
            fee = 0 if mine else item.charges_minor
            rest = WaitingItem(ref, left, fee, tuple(also))
            if not mine and is_of_account(work, line):
                rest = replace(rest, keys=keys_of(line, item), text=text_of(line, item))
            waiting.append(waiting_return(work, line, item, rest) if left < 0 else rest)
            unclear.append(item)
    open_minor = line.amount_minor - sum(match.booked_minor for match in matches)
    open_minor -= sum(shown.booked_minor for shown in payouts)
    charges = line.charges_minor
    if matches and charges:
        work.post(bookings.line_fee(state, charges, _clearing_of(work, matches[0])))
        open_minor, charges = open_minor + charges, 0
    state = replace(
        state,
        open_minor=open_minor,
        charges_minor=charges,
        matches=tuple(matches),
        waiting=tuple(waiting),
        payouts=tuple(payouts),
    )
    if not items and not waiting and is_of_account(work, line):
        state = replace(state, keys=keys_of(line, None), text=text_of(line, None))
    for shown in payouts:
        book_waiting_return(work, shown)
    return _wait(work, command, state, _named(work, line, unclear))


def _see_account(work: Work, account: str) -> None:
    """A line on an account that is not registered is booked, with one case for the account."""
    if account not in work.rules.accounts:
        text = f"lines are booked on {account}, which is not a registered bank account"
        work.open_case(Case(f"{OUTSIDE}{account}", CaseKind.UNREGISTERED_ACCOUNT, text))


def _waiting_batch(line: StatementLine) -> list[WaitingItem]:
    """The whole of a batch that nobody has named yet: it waits for the outcomes of its orders."""
    ref, minor = str(line.batch_ref), line.amount_minor + line.charges_minor
    return [WaitingItem(of_batch(ref), minor, keys=(Key(Pass.BATCH, ref),))]


def book_batch_again(work: Work, batch_ref: str) -> None:
    """A line that came before the outcomes of its batch is booked once count and sum agree."""
    ref = of_batch(batch_ref)
    for known in lines_waiting(work, ref):
        line = replace(
            line_of(known),
            batch_ref=batch_ref,
            batch_count=known.batch_count,
            charges_minor=known.charges_minor,
        )
        is_whole = any(ref in item.refs for item in known.waiting)
        for item in _batch_items(work, line) if is_whole else ():
            matches = _book_credit(work, line, item) if is_of_account(work, line) else ()
            if matches:
                identify(work, work.lines[known.id], matches, "identified")
            else:  # the batch is in other money than its account or this loan
                name_in_case(work, known.id, _named(work, line, (item,)))


def _adds_up(line: StatementLine, items: Sequence[LineItem]) -> bool:
    booked = sum(item.booked_minor for item in items) - line.charges_minor
    return not items or booked == line.amount_minor


def _wait(
    work: Work,
    command: BookLine,
    state: LineState,
    named: Sequence[Named],
    *,
    is_wrong: bool = False,
) -> Change:
    """Keep a line; what of it nothing explains is posted to suspense, with a case."""
    work.put_line(state)
    if minor := state.open_minor:
        work.post(bookings.stray_line(state, minor))
    if waits := state.is_open or is_wrong:
        open_case_of_line(work, state, named, command.file)
    for order_no in _proven_orders(work, state):
        book_returns_again(work, order_no)
    return work.finish(Done(note="unmatched" if waits else "matched"))


def _proven_orders(work: Work, line: LineState) -> dict[str, None]:
    """The orders of which a line proves money or its return: another return may wait for that."""
    mine = [work.payment(match.payment) for match in line.matches]
    return {payment.order_no: None for payment in mine if payment.order_no is not None}


def _named(work: Work, line: StatementLine, items: Iterable[LineItem]) -> list[Named]:
    """The loans and installments that some items name, though they explain nothing of them."""
    found: dict[Named, None] = {}
    for item in items:
        ref = item.end_to_end_id or ""
        if (loan_id := work.orders.get(ref)) is not None:
            found[(loan_id, find(work, loan_id, ref)[0])] = None
        elif named := payments_named(work, ref):
            parts = (part for payment in named for part in portions_of(work, payment))
            found |= {(loan, portion.number): None for loan, portion in parts}
        elif item.amount_minor < 0:
            fitting = under_mandate(work, line, item)
            loans = work.aggregates.under_mandates.get(item.mandate_ref or "", ())
            found |= {(loan, portion.number): None for loan, portion in fitting}
            found |= {(loan, None): None for loan in loans if not fitting}
    return list(found)


def _book_item(work: Work, line: StatementLine, item: LineItem) -> list[Match]:
    """Book one item; what it proves of which payments, if of any."""
    if item.amount_minor > 0:
        return _book_credit(work, line, item)
    return book_return(work, line, item) if item.amount_minor < 0 else []


def _clearing_of(work: Work, match: Match) -> str:
    """The clearing account whose rail the line is about: its fees are the rail's."""
    return work.portion(match.loan_id, match.payment).clearing_account


def _book_credit(work: Work, line: StatementLine, item: LineItem) -> list[Match]:
    """By the first of its references that names an order or a payment with money to be proven."""
    found = (_book_credit_by(work, line, item, ref) for ref in item.references)
    return next((matches for matches in found if matches), [])


def _book_credit_by(work: Work, line: StatementLine, item: LineItem, ref: str) -> list[Match]:
    loan_id = work.orders.get(ref)
    if loan_id is None:
        payment = _payment_of(work, line, item, ref)
        if payment is None:
            return []
        return spread(work, payment, item.amount_minor, item.charges_minor)
    if work.loan(loan_id).currency == line.currency:
        refs = {name for name in (item.tx_id, line.servicer_ref) if name}
        shown = item.amount_minor, line.value_on
        portion = payment_of_order(work, loan_id, ref, *shown, refs)
        proven = min(item.amount_minor, portion.unsettled_minor)
        return [Match(loan_id, portion.id, proven, item.charges_minor)]
    return []


def _payment_of(work: Work, line: StatementLine, item: LineItem, ref: str) -> Payment | None:
    """The unproven payment that a line brings; where several have its reference, by amount and day.

    Of two that fit alike none is taken.
    """
    found = [
        payment
        for payment in payments_named(work, ref)
        if payment.unsettled_minor > 0 and payment.currency == line.currency
    ]
    if len(found) > 1:
        found = [payment for payment in found if payment.unsettled_minor == item.amount_minor]
    if len(found) > 1:
        found = [payment for payment in found if payment.value_on == line.value_on]
    return found[0] if len(found) == 1 else None


def _batch_items(work: Work, line: StatementLine) -> tuple[LineItem, ...]:
    """Orders of a batch booked in one amount, when count and sum agree with the line.

    First those that are known to be taken; else with those that have no final outcome yet, for the
    line of the whole batch is the final outcome of each.
    """
    if not line.batch_ref:
        return ()
    taken: list[LineItem] = []
    live: list[LineItem] = []
    for loan_id, loan in sorted(work.loans.items()):
        for _, attempt in loan.attempts():
            if attempt.batch_ref != line.batch_ref:
                continue
            work.orders[attempt.order_no] = loan_id
            portion = loan.portion(debit_payment_id(attempt.order_no))
            item = LineItem(attempt.order_no, attempt.mandate_ref, None, attempt.amount_minor)
            if attempt.is_live:
                live.append(item)
            elif portion is not None and portion.unsettled_minor > 0:
                taken.append(replace(item, amount_minor=portion.unsettled_minor))
    for found in (taken, [*taken, *live]):
        booked = sum(item.amount_minor for item in found) - line.charges_minor
        if booked == line.amount_minor and line.batch_count in {None, len(found)}:
            return tuple(found)
    return ()


def _compare(work: Work, known: LineState, line: StatementLine) -> None:
    """A bank that says a line anew in other figures is not believed twice, nor passed over.

    The same figures with other references only are news too: the bank gave one reference to two
    bookings. Whatever the line proves is in question: one case for each installment it has paid.
    """
    figures = (line.amount_minor, line.currency, line.booked_on)
    is_alike = figures == (known.amount_minor, known.currency, known.booked_on)
    now = names_of(line)
    if is_alike and (not known.named or not now or not set(now).isdisjoint(known.named)):
        return
    said = f"{amount_text(known.amount_minor, known.currency)} on {known.booked_on} is booked"
    text = f"{said}, and now {amount_text(line.amount_minor, line.currency)} on {line.booked_on}"
    if is_alike:
        text = f"{said}, and the bank now says the same with other references only"
    key = f"{SAID_ANEW}/{line.id}"
    case = Case(key, SAID_ANEW, text, amount_minor=line.amount_minor)
    named = [*_proven_by(work, known), *_waited_for(work, known)]
    named += _named(work, line, line.items or _batch_items(work, line))
    open_cases(work, replace(known, currency=line.currency), case, list(dict.fromkeys(named)))


def _proven_by(work: Work, known: LineState) -> list[Named]:
    """The installments whose money a line proves; of a loan that is not at hand, the whole loan."""
    found: list[Named] = []
    for match in known.matches:
        loan = work.loans.get(match.loan_id)
        portion = loan.portion(match.payment) if loan is not None else None
        numbers = numbers_of(loan, portion) if loan is not None and portion is not None else ()
        found.extend((match.loan_id, number) for number in numbers or (None,))
    return found


def _waited_for(work: Work, known: LineState) -> list[Named]:
    cases = cases_of_line(work, known.id, OF_WAITING_LINES)
    return [(case.loan_id, case.number) for case in cases if case.loan_id is not None]
