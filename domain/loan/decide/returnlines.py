"""Booked lines of returned money: a debit by order or mandate, a transfer by its reference."""

from collections.abc import Iterable, Iterator
from datetime import date

from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import Loan, Match
from domain.loan.decide.attempts import find
from domain.loan.decide.disputes import portions_of_order, raise_inferred
from domain.loan.decide.references import payments_named, portions_of
from domain.loan.decide.returns import infer_execution
from domain.loan.decide.takingback import Returned, learn_reason, reverse
from domain.loan.decide.work import Work
from domain.loan.retrying import NO_REASON
from domain.payment.payment import Payment
from domain.payment.portion import Portion
from domain.statement.statement import LineItem, StatementLine

Found = tuple[str, Portion]
"""A loan's id and one of its portions."""
Candidate = tuple[list[Found], tuple[bool, ...]]
"""Portions that together came back, and how badly they fit: the lower, the better."""


def book_return(
    work: Work, line: StatementLine, item: LineItem, *, is_rest: bool = False
) -> list[Match]:
    """A debit line of a return: reported before, or reported by this very line.

    It proves at most the whole payment, and of other executions of its order what reports say
    to have gone back; what the bank kept on top of it without saying so stays open on the line.
    `is_rest`: the line has proven the whole of a payment, and this is what was left of it.
    """
    fee = item.charges_minor
    found = _returned(work, line, item)
    matches: list[Match] = []
    for (loan_id, portion), minor in zip(
        found, _sizes(work, line, item, found, is_rest=is_rest), strict=True
    ):
        if minor > 0:
            take_back_by_line(work, loan_id, portion, minor, line.booked_on, item.return_reason)
            matches.append(Match(loan_id, portion.id, -minor, fee))
            fee = 0
    return matches


def _sizes(
    work: Work, line: StatementLine, item: LineItem, found: list[Found], *, is_rest: bool
) -> list[int]:
    """How much of each portion a line shows to have gone back, the likeliest first.

    What has gone back is the larger of what reports and what lines say, over all executions of an
    order. So a line proves first what was reported under its name, or under none, of whatever
    execution that was booked; only the rest of it is news of the likeliest one.
    """
    left, sizes = -item.amount_minor, [0] * len(found)
    portions = [portion for _, portion in found]
    likeliest = portions[0].id if portions else ""
    reported = [portion.unproven_return_minor for portion in portions]
    meant = [_may_be_meant(work.payment(portion.id), line, item) for portion in portions]
    rooms = [
        *((place, reported[place]) for place, is_meant in enumerate(meant) if is_meant),
        *((place, it.returnable_minor) for place, it in enumerate(portions) if it.id == likeliest),
        *enumerate(reported),
    ]
    for place, most in rooms:
        minor = max(0, min(left, (reported[place] if is_rest else most) - sizes[place]))
        sizes[place] += minor
        left -= minor
    return sizes


def _may_be_meant(payment: Payment, line: StatementLine, item: LineItem) -> bool:
    """Whether a return that was reported of a payment may be the one that a line shows, by name."""
    named = {name for name in (item.tx_id, line.servicer_ref) if name}
    return not named or not payment.return_refs or not named.isdisjoint(payment.return_refs)


def take_back_by_line(
    work: Work, loan_id: str, portion: Portion, minor: int, on: date, reason: str | None
) -> None:
    """Book the part of a return that only its line reports, and record its reason."""
    code = reason or NO_REASON
    outcome_class = OutcomeClass.LATE_RETURN
    if reason is not None:
        outcome_class = work.rules.return_class(_rail(work.loan(loan_id), portion), code)
    new = minor - portion.unshown_return_minor
    said = Returned(new, outcome_class, code, on, reported=False)
    if new > 0:
        reverse(work, loan_id, portion.id, said)
    else:
        learn_reason(work, loan_id, portion.id, said)


def _rail(loan: Loan, portion: Portion) -> str:
    """The rail that took a portion; `transfer` where none did."""
    orders = (attempt for _, attempt in loan.attempts() if attempt.order_no == portion.order_no)
    return next((attempt.rail for attempt in orders), "transfer")


def under_mandate(work: Work, line: StatementLine, item: LineItem) -> list[Found]:
    """The debits under the mandate of a line of a return that have just its amount."""
    return [
        (loan_id, portion)
        for loan_id, orders in ordered_under(work, item.mandate_ref)
        for portion in _open(work, line, loan_id, work.loan(loan_id).portions)
        if portion.order_no in orders and portion.amount_minor == -item.amount_minor
    ]


def ordered_under(work: Work, mandate: str | None) -> Iterator[tuple[str, list[str]]]:
    """The orders that were made under a mandate, by loan, whatever mandate the loan has now."""
    for loan_id in work.aggregates.under_mandates.get(mandate or "", ()):
        attempts = (attempt for _, attempt in work.loan(loan_id).attempts())
        yield loan_id, [a.order_no for a in attempts if a.mandate_ref == mandate]


def _returned(work: Work, line: StatementLine, item: LineItem) -> list[Found]:
    """The payments that came back, the likeliest first; of two that fit alike none is taken."""
    ref = item.end_to_end_id or ""
    if (loan_id := work.aggregates.orders.get(ref)) is not None:
        if work.loan(loan_id).currency == line.currency:
            infer_execution(work, loan_id, ref, -item.amount_minor)
            _raise_to(work, loan_id, ref, -item.amount_minor)
        return _executions(work, line, item, loan_id, ref)
    if named := payments_named(work, ref):
        return _best(_by_payment(work, line, item, named))
    return _best(_by_mandate(work, line, item))


def _best(ranked: list[Candidate]) -> list[Found]:
    """The one candidate whose rank is the lowest; none where two are alike."""
    ranked = sorted(ranked, key=lambda candidate: candidate[1])
    is_clear = ranked and (len(ranked) == 1 or ranked[0][1] != ranked[1][1])
    return ranked[0][0] if is_clear else []


def _by_payment(
    work: Work, line: StatementLine, item: LineItem, named: list[Payment]
) -> list[Candidate]:
    """The portions of each payment that can have come back, of the loan that got it last first."""
    candidates: list[Candidate] = []
    for payment in named:
        if payment.currency == line.currency and payment.returnable_minor > 0:
            reported = payment.unproven_return_minor >= -item.amount_minor
            found = portions_of(work, payment)[::-1]
            candidates.append((found, (not reported, not _names(payment, line, item))))
    return candidates


def _by_mandate(work: Work, line: StatementLine, item: LineItem) -> list[Candidate]:
    """Orders under a mandate of which just so much went back by report, or just so much came.

    Nothing comes back before it was ordered: unreported, a line is not of an order of a later day.
    """
    candidates: list[Candidate] = []
    minor = -item.amount_minor
    for loan_id, orders in ordered_under(work, item.mandate_ref):
        for order_no in orders:
            found = _executions(work, line, item, loan_id, order_no)
            reported = [pair for pair in found if pair[1].unproven_return_minor]
            just = [pair for pair in reported if pair[1].unproven_return_minor == minor][:1]
            if sum(portion.unproven_return_minor for _, portion in reported) == minor:
                just = just or reported
            is_before = find(work, loan_id, order_no)[1].value_on <= line.booked_on
            whole = [pair for pair in found if is_before and pair[1].amount_minor == minor]
            if mine := just or whole[:1]:
                candidates.append((mine, (not just, _rank(work, mine[0][1], line, item)[1])))
    return candidates


def _executions(
    work: Work, line: StatementLine, item: LineItem, loan_id: str, order_no: str
) -> list[Found]:
    """Portions that one order brought and of which more can have come back, the likeliest first.

    Two executions of one order are one payer's money for one installment: the surplus goes back
    rather than what pays the installment.
    """
    found = _open(work, line, loan_id, portions_of_order(work, loan_id, order_no))
    found.sort(key=lambda portion: _fit(work, portion, line, item))
    return [(loan_id, portion) for portion in found]


def _open(
    work: Work, line: StatementLine, loan_id: str, portions: Iterable[Portion]
) -> list[Portion]:
    is_its_currency = work.loan(loan_id).currency == line.currency
    return [portion for portion in portions if is_its_currency and portion.returnable_minor > 0]


def _raise_to(work: Work, loan_id: str, order_no: str, minor: int) -> None:
    """Raise the payment of an order that only its return has reported to what has come back."""
    _, attempt = find(work, loan_id, order_no)
    portion = portions_of_order(work, loan_id, order_no)[0]
    back = portion.return_settled_minor + minor
    raise_inferred(work, loan_id, portion.id, back, attempt.amount_minor)


def _rank(work: Work, portion: Portion, line: StatementLine, item: LineItem) -> tuple[bool, bool]:
    """The better the lower: a return reported and not yet proven, a booking that the bank names."""
    is_named = _names(work.payment(portion.id), line, item)
    return portion.unproven_return_minor < -item.amount_minor, not is_named


def _names(payment: Payment, line: StatementLine, item: LineItem) -> bool:
    """Whether a line names the rail's own booking of a payment."""
    named = {name for name in (item.tx_id, line.servicer_ref) if name}
    return not named.isdisjoint(payment.bookings)


def _fit(work: Work, portion: Portion, line: StatementLine, item: LineItem) -> tuple[bool, ...]:
    """Between payments of one order: their rank, then what waits in suspense, then the amount."""
    minor = -item.amount_minor
    other = portion.amount_minor != minor
    return (*_rank(work, portion, line, item), portion.waiting_minor < minor, other)
