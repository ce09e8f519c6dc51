"""Money that is placed anew, because money of an earlier value date has become known or changed.

Which money pays what follows from value dates alone (`in_order`), not from when it became known.
The wanted placement is found on a trial copy of the decision; only where it differs from what
stands are entries posted. Money on an installment that is released or closed stays where it is, and
so does money on one that has a live attempt or is out of the usual collection. What a former system
placed stays as well.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from domain.calendar import ONE_DAY
from domain.loan import bookings, costs
from domain.loan.aggregate import Installment, Loan
from domain.loan.decide.advance import draw
from domain.loan.decide.attempts import reopen
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.sharing import by_state, cut, share_out
from domain.loan.waiting import in_order
from domain.loan.waterfall import Allocation
from domain.payment.portion import Allocated, Portion
from domain.pricing.amounts import Amounts, Component

Part = tuple[int, Component]
"""A component of an installment, by its number."""

TIMES_MOST = 4
"""How often one command places the money of a loan anew. Once is usual. Where a ceiling's last unit
goes to and fro between two installments, whoever has it in the end keeps it: no news is refused."""
_COMPLETE = frozenset({State.CLEARING, State.SETTLED})
_OPEN = frozenset({State.SCHEDULED, State.DUE, State.RETRYING, State.DELINQUENT, State.WRITTEN_OFF})


def reallocate(work: Work, loan_id: str, place: Callable[[Work, str], bool]) -> None:
    """Have all money lie as if it had become known in the order of its value dates.

    `place` applies the free money of a loan in that order and says whether it came to rest. Nothing
    is tried where no money of a later value date stands on anything that earlier money could have
    paid, and all stays as it is where the trial comes to no rest: no news is refused for it.
    """
    first = _first_changed(work, work.loan(loan_id))
    if first is None or work.reallocated[loan_id] >= TIMES_MOST:
        return
    trial = work.trial()
    _free_from(trial, loan_id, first)
    if not place(trial, loan_id):
        return
    wanted = trial.loan(loan_id)
    before = work.loan(loan_id)
    _take_off(work, loan_id, wanted)
    _charge(work, loan_id, wanted)
    _put_on(work, loan_id, wanted)
    if work.loan(loan_id) is not before:
        work.reallocated[loan_id] += 1
        _follow(work, loan_id, before)


def _first_changed(work: Work, loan: Loan) -> Portion | None:
    """The first money that is free or has changed, and has movable money to be placed after it.

    A debit can only take the place of money on its own installment, except that under a ceiling it
    may leave more room for the penalty of another. What was taken back leaves room for whatever
    comes after it. Where a ceiling has less room than was paid, that is placed anew.
    """
    order = in_order(loan)
    known = work.aggregates.loans.get(loan.id)
    paid = [p for portion in order for p in portion.allocations if p.component is Component.PENALTY]
    is_over = bool(paid) and costs.is_over(loan, work.today(loan.id) - ONE_DAY)
    for index, portion in enumerate(order):
        was = known.portion(portion.id) if known is not None else None
        moved = was is not None and was.value_on != portion.value_on
        later = [p for p in order[index + (not moved) :] if not p.is_brought_over]
        parts = [part for other in later for part in other.allocations]
        numbers = {part.number for part in parts if _is_movable(loan.installment(part.number))}
        is_less = portion.returned_minor > (was.returned_minor if was is not None else 0)
        if portion.is_debit and not is_less and loan.product.caps is None:
            numbers &= {portion.number or 0}
        grown = was is None or was.net_minor != portion.net_minor
        free = portion.waiting_minor + portion.advance_minor > 0
        if numbers and (moved or grown or free):
            return portion
        if is_over and any(_is_penalty(loan, part) for part in portion.allocations):
            return portion
    return None


def _is_penalty(loan: Loan, part: Allocated) -> bool:
    return part.component is Component.PENALTY and _is_movable(loan.installment(part.number))


def _is_movable(item: Installment) -> bool:
    """Whether money on an installment may still make room for other money."""
    return item.state in _OPEN | _COMPLETE and item.live_attempt is None


def _free_from(trial: Work, loan_id: str, first: Portion) -> None:
    """Take all movable money from `first` on off its installments."""
    order = in_order(trial.loan(loan_id))
    index = next(i for i, portion in enumerate(order) if portion.id == first.id)
    for portion in (p for p in reversed(order[index:]) if not p.is_brought_over):
        moved = [p for p in portion.allocations if _is_movable(trial.item(loan_id, p.number))]
        kept = tuple(part for part in portion.allocations if part not in moved)
        _unapply(trial, loan_id, portion, moved, kept)
        for number in {part.number for part in moved}:
            item = trial.item(loan_id, number)
            if item.state in _COMPLETE:
                # On the trial only: its states are compared with nothing and never written.
                state = State.WRITTEN_OFF if item.is_written_off else State.DUE
                trial.put(loan_id, replace(item, state=state))


def _unapply(
    work: Work, loan_id: str, was: Portion, gone: Sequence[Allocated], kept: tuple[Allocated, ...]
) -> None:
    """Have parts of what a portion paid wait again."""
    loan, today = work.loan(loan_id), work.today(loan_id)
    plain, outside = by_state(loan, gone)
    if plain:
        after = _waiting_again(was, (*kept, *reversed(outside)), plain)
        work.post(bookings.unapply(loan, was, after, plain, today))
        work.put_portion(loan_id, after)
        was = after
    if outside:
        after = _waiting_again(was, kept, outside)
        work.post(bookings.recovery_reversed(loan, was, after, outside, today))
        work.put_portion(loan_id, after)


def _waiting_again(
    portion: Portion, kept: tuple[Allocated, ...], gone: Sequence[Allocated]
) -> Portion:
    waiting = portion.waiting_minor + sum(part.minor for part in gone)
    return replace(portion, allocations=kept, waiting_minor=waiting)


def _take_off(work: Work, loan_id: str, wanted: Loan) -> None:
    """Take off what money pays and should not, latest first.

    A penalty that is another one by now is taken off whole where several parties share it: what
    pays it then is shared anew over their claims.
    """
    shared = len(wanted.product.shares.parties) > 1
    other = {
        (item.number, Component.PENALTY)
        for item in wanted.installments
        if shared and item.charged.penalty != work.item(loan_id, item.number).charged.penalty
    }
    for portion in (p for p in reversed(in_order(work.loan(loan_id))) if not p.is_brought_over):
        paid = _by_part(portion.allocations)
        surplus = paid - _by_part(_wanted(wanted, portion))
        surplus |= Counter({key: paid[key] for key in other & paid.keys()})
        gone: list[Allocated] = []
        kept: list[Allocated] = []
        for part in reversed(portion.allocations):
            key = part.number, part.component
            off, on = cut(part, min(part.minor, surplus[key]))
            surplus[key] -= off.minor
            gone += [off] if off.minor else []
            kept += [on] if on.minor else []
        _unapply(work, loan_id, portion, gone, tuple(reversed(kept)))


def _charge(work: Work, loan_id: str, wanted: Loan) -> None:
    """Charge or reverse the penalty that follows from the wanted placement."""
    for item in wanted.installments:
        known = work.item(loan_id, item.number)
        delta = item.charged.penalty - known.charged.penalty
        if delta:
            through = item.penalty_through or item.due_on
            on = max(item.due_on, min(through, work.today(loan_id)))
            event = "penalty_accrued" if delta > 0 else "penalty_reversed"
            work.charge(loan_id, item.number, Amounts(penalty=delta), event, on)
            known = work.item(loan_id, item.number)
            work.put(loan_id, replace(known, penalty_through=item.penalty_through))


def _put_on(work: Work, loan_id: str, wanted: Loan) -> None:
    """Put on what money should pay and does not, in its order; what was paid ahead comes first."""
    for portion in in_order(work.loan(loan_id)):
        lacking = _by_part(_wanted(wanted, portion)) - _by_part(portion.allocations)
        if not lacking:
            continue
        draw(work, loan_id, portion.id, lacking.total())
        loan, today = work.loan(loan_id), work.today(loan_id)
        paid = share_out(loan, [Allocation(*part, size) for part, size in lacking.items()])
        plain, outside = by_state(loan, paid)
        for parts, book in ((plain, bookings.apply_money), (outside, bookings.recover)):
            if parts:
                was = work.portion(loan_id, portion.id)
                together = _merged([*was.allocations, *parts], _wanted(wanted, portion))
                waiting = was.waiting_minor - sum(part.minor for part in parts)
                after = replace(was, allocations=together, waiting_minor=waiting)
                work.post(book(work.loan(loan_id), was, after, parts, today))
                work.put_portion(loan_id, after)


def _wanted(wanted: Loan, portion: Portion) -> tuple[Allocated, ...]:
    found = wanted.portion(portion.id)
    return found.allocations if found is not None else ()


def _by_part(parts: Iterable[Allocated]) -> Counter[Part]:
    found: Counter[Part] = Counter()
    for part in parts:
        found[part.number, part.component] += part.minor
    return found


def _merged(parts: Sequence[Allocated], order: Sequence[Allocated]) -> tuple[Allocated, ...]:
    """Parts summed up by what they pay, in the order in which it is to be paid."""
    found: dict[Part, Allocated] = {}
    wanted = {(part.number, part.component): place for place, part in enumerate(order)}
    for part in sorted(parts, key=lambda part: wanted[part.number, part.component]):
        key = part.number, part.component
        known = found.get(key, Allocated(*key, 0))
        shares = Counter(dict(known.shares))
        shares.update(dict(part.shares))
        found[key] = Allocated(*key, known.minor + part.minor, tuple(shares.items()))
    return tuple(found.values())


def _follow(work: Work, loan_id: str, before: Loan) -> None:
    """Installments are where their amounts and proofs say, once money has been placed anew."""
    detail = "money placed anew by value date"
    for item in work.loan(loan_id).installments:
        if item == before.installment(item.number):
            continue
        is_open = item.owed.total + item.written_off.total > 0
        if is_open and item.state in _COMPLETE:
            reopen(work, loan_id, [item.number], detail)
        elif not is_open and item.fell_due and item.state in _OPEN:
            event = Event.RECOVERED_IN_FULL if item.is_written_off else Event.PAID_IN_FULL
            work.move(loan_id, item.number, event, detail)
