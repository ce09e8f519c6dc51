"""Booked bank lines: they prove receipts and returns, or wait in suspense with a case."""

from dataclasses import replace

from domain.debit.outcome import Outcome, OutcomeClass
from domain.ledger import bookings
from domain.loan.aggregate import LineState, Match, Receipt, WaitingItem
from domain.loan.change import CaseChange, Change, Done
from domain.loan.commands import BookLine
from domain.loan.decide.money import prove
from domain.loan.decide.outcomes import find, free_success, hear
from domain.loan.decide.returns import Returned, reverse
from domain.loan.decide.work import Work
from domain.reconciliation.statement import LineItem, StatementLine

NO_FUNDS = frozenset({"64", "90", "AM04", "MS03", "R01"})
"""Reason codes of returned debits that only say that the money was not there."""


def book_line(work: Work, command: BookLine) -> Change:
    """Match a booked line by its references, never by amount alone; the rest waits in suspense."""
    line = command.line
    if (known := work.lines.get(line.id)) is not None:
        _compare(work, known, line)
        return work.finish(Done(note="known"))
    matches: list[Match] = []
    waiting: list[WaitingItem] = []
    state = LineState(
        line.id,
        line.account,
        command.statement_id,
        line.booked_on,
        line.amount_minor,
        line.currency,
        line.amount_minor,
        line.value_on,
    )
    for item in line.items or _batch_items(work, line):
        if (match := _book_item(work, line, item)) is not None:
            prove(work, match, state)
            matches.append(match)
        elif item.amount_minor > 0 and item.references:
            ref, *also = item.references
            found = WaitingItem(ref, item.amount_minor, item.charges_minor, tuple(also))
            waiting.append(found)
    open_minor = line.amount_minor - sum(match.booked_minor for match in matches)
    if matches and line.charges_minor:
        work.post(bookings.line_fee(line, _clearing_of(work, matches[0])))
        open_minor += line.charges_minor
    state = replace(state, open_minor=open_minor, matches=tuple(matches), waiting=tuple(waiting))
    work.put_line(state)
    if open_minor:
        work.post(
            bookings.stray_line(line.account, line.id, open_minor, line.currency, line.booked_on)
        )
        open_case_of_line(work, state)
    return work.finish(Done(note="matched" if not open_minor else "unmatched"))


def _book_item(work: Work, line: StatementLine, item: LineItem) -> Match | None:
    """Book one item; what it proves of which receipt, if any."""
    if item.amount_minor > 0:
        return _book_credit(work, line, item)
    return _book_return(work, line, item) if item.amount_minor < 0 else None


def _clearing_of(work: Work, match: Match) -> str:
    """The clearing account whose rail the line is about: its fees are the rail's."""
    return work.receipt(match.loan_id, match.receipt).clearing_account


def _book_credit(work: Work, line: StatementLine, item: LineItem) -> Match | None:
    """By the first of its references that names an order or a payment with money to be proven."""
    found = (_book_credit_by(work, line, item, ref) for ref in item.references)
    return next((match for match in found if match is not None), None)


def _book_credit_by(work: Work, line: StatementLine, item: LineItem, ref: str) -> Match | None:
    loan_id = work.aggregates.orders.get(ref)
    if loan_id is not None and work.loan(loan_id).currency == line.currency:
        receipt = _receipt_of_order(work, loan_id, line, item, ref)
    else:
        loan_id = work.aggregates.receipts.get(ref)
        if loan_id is None or work.loan(loan_id).currency != line.currency:
            return None
        receipt = work.receipt(loan_id, ref)
    if receipt.unsettled_minor <= 0:
        return None
    proven = min(item.amount_minor, receipt.unsettled_minor)
    return Match(loan_id, receipt.id, proven, item.charges_minor)


def _receipt_of_order(
    work: Work, loan_id: str, line: StatementLine, item: LineItem, order_no: str
) -> Receipt:
    """The open receipt that a credit line of an order proves.

    The line itself may be the first news of the money: confirmation and settlement in one.
    """
    number, attempt = find(work, loan_id, order_no)
    refs = {ref for ref in (item.tx_id, line.servicer_ref) if ref}
    outcome = Outcome(
        OutcomeClass.SUCCESS, "line", item.amount_minor, None, executed_on=line.value_on
    )
    if attempt.is_live:
        hear(work, loan_id, number, attempt, outcome, "statement")
    receipts = [r for r in work.loan(loan_id).receipts if r.order_no == order_no]
    open_ones = [receipt for receipt in receipts if receipt.unsettled_minor > 0]
    named = [receipt for receipt in open_ones if receipt.bank_ref in refs]
    if found := named or open_ones:
        return found[0]
    receipt_id = free_success(work, loan_id, number, attempt, outcome, item.amount_minor)
    return work.receipt(loan_id, receipt_id)


def _book_return(work: Work, line: StatementLine, item: LineItem) -> Match | None:
    """A debit line of a return: reported before, or reported by this very line."""
    found = _returned_receipt(work, line, item)
    if found is None:
        return None
    loan_id, receipt = found
    minor = -item.amount_minor
    if not _is_reported(receipt, minor):
        code = item.return_reason or "line"
        said = Returned(minor, _return_class(code), code, line.booked_on, told=False)
        reverse(work, loan_id, receipt, said)
    return Match(loan_id, receipt.id, -minor, item.charges_minor)


def _returned_receipt(
    work: Work, line: StatementLine, item: LineItem
) -> tuple[str, Receipt] | None:
    """By order number, else by mandate and exact amount; of two that fit alike none is taken."""
    minor = -item.amount_minor
    ref = item.end_to_end_id
    if ref is not None and (loan_id := work.aggregates.orders.get(ref)):
        candidates = [(loan_id, r) for r in _of_order(work, loan_id, line, minor, ref)]
    else:
        candidates = [
            (loan_id, receipt)
            for loan_id in work.aggregates.mandates.get(item.mandate_ref or "", ())
            for receipt in work.loan(loan_id).receipts
            if receipt.source == "debit" and receipt.amount_minor == minor
        ]
    refs = {name for name in (item.tx_id, line.servicer_ref) if name}
    ranked = sorted(
        (_fit(receipt, minor, refs), loan_id, receipt.id)
        for loan_id, receipt in candidates
        if work.loan(loan_id).currency == line.currency
        and (_is_reported(receipt, minor) or receipt.net_minor >= minor)
    )
    if not ranked:
        return None
    alike = len(ranked) > 1 and ranked[0][0] == ranked[1][0]
    if alike and ref is None:
        return None
    _, loan_id, receipt_id = ranked[0]
    return loan_id, work.receipt(loan_id, receipt_id)


def _of_order(
    work: Work, loan_id: str, line: StatementLine, minor: int, order_no: str
) -> list[Receipt]:
    """Receipts of an order; a line of its return may be the first news that it was executed."""

    def known() -> list[Receipt]:
        return [r for r in work.loan(loan_id).receipts if r.order_no == order_no]

    if not known() and work.loan(loan_id).currency == line.currency:
        number, attempt = find(work, loan_id, order_no)
        executed = Outcome(
            OutcomeClass.SUCCESS, "return", minor, None, executed_on=attempt.value_on
        )
        hear(work, loan_id, number, attempt, executed, "statement")
    return known()


def _fit(receipt: Receipt, minor: int, refs: set[str]) -> tuple[bool, bool, bool, int]:
    """The better the lower: reported and not yet proven, named by the bank, in suspense, newest.

    Old returns are long proven. Of an order that was executed twice the surplus goes back rather
    than what pays the installment.
    """
    return (
        not _is_reported(receipt, minor),
        receipt.bank_ref not in refs,
        receipt.waiting_minor < minor,
        -receipt.value_on.toordinal(),
    )


def _is_reported(receipt: Receipt, minor: int) -> bool:
    """Whether a return of this size is booked and its line has not come yet."""
    return receipt.returned_minor - receipt.return_settled_minor >= minor


def _return_class(code: str) -> OutcomeClass:
    """No funds may be tried again; any other reason of the bank is final for a machine."""
    return OutcomeClass.NSF if code in NO_FUNDS else OutcomeClass.LATE_RETURN


def _batch_items(work: Work, line: StatementLine) -> tuple[LineItem, ...]:
    """Orders of a batch booked in one amount, when count and sum agree with the line.

    First those that are known to be taken; else with those that still owe a verdict, for the line
    of the whole batch is the verdict of each.
    """
    if not line.batch_ref:
        return ()
    taken: list[LineItem] = []
    live: list[LineItem] = []
    for loan_id in work.aggregates.batches.get(line.batch_ref, ()):
        loan = work.loan(loan_id)
        for _, attempt in loan.attempts():
            if attempt.batch_ref != line.batch_ref:
                continue
            receipt = loan.receipt(f"R-{attempt.order_no}")
            item = LineItem(attempt.order_no, attempt.mandate_ref, None, attempt.amount_minor)
            if attempt.is_live:
                live.append(item)
            elif receipt is not None and receipt.unsettled_minor > 0:
                taken.append(replace(item, amount_minor=receipt.unsettled_minor))
    for found in (taken, [*taken, *live]):
        booked = sum(item.amount_minor for item in found) - line.charges_minor
        if booked == line.amount_minor and line.batch_count in {None, len(found)}:
            return tuple(found)
    return ()


def open_case_of_line(work: Work, line: LineState) -> None:
    """Nothing explains (the rest of) the line: it waits, visibly."""
    work.open_case(
        CaseChange(
            "open",
            f"line/{line.id}",
            "unmatched_line",
            f"{line.open_minor} {line.currency} minor units of line {line.id} are not explained",
            line=line.id,
            amount_minor=line.open_minor,
            currency=line.currency,
        )
    )


def _compare(work: Work, known: LineState, line: StatementLine) -> None:
    """A bank that says a line anew in other figures is not believed twice, nor passed over."""
    figures = (line.amount_minor, line.currency, line.booked_on)
    if figures == (known.amount_minor, known.currency, known.booked_on):
        return
    said = f"{known.amount_minor} {known.currency} on {known.booked_on} is booked"
    work.open_case(
        CaseChange(
            "open",
            f"line_contradiction/{line.id}",
            "line_contradiction",
            f"{said}, and now {line.amount_minor} {line.currency} on {line.booked_on}",
            line=line.id,
            amount_minor=line.amount_minor,
            currency=line.currency,
        )
    )
