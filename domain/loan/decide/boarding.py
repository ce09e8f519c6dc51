"""Boarding a loan, and the passing of a day: what happens to many installments at once."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import assert_never

from domain.calendar import local_day
from domain.debit.retry import NoRetry
from domain.kernel.change import Done, Refusal
from domain.loan import agenda
from domain.loan.accounts import unfit_accounts
from domain.loan.aggregate import Installment, Loan, NoticeState, Rulebook
from domain.loan.boarding import BoardLoan, Past
from domain.loan.change import Change
from domain.loan.commands import RollDay
from domain.loan.decide.charges import charge_to_date, fall_due
from domain.loan.decide.mandates import put_under, refuses_loan
from domain.loan.decide.money import place_waiting
from domain.loan.decide.opening import bring_over
from domain.loan.decide.tasks import need_operator
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.openingrules import broken_rule, debt_history
from domain.loan.retrying import not_debitable, retry_decision
from domain.pricing.amounts import Amounts
from domain.pricing.costs import broken_caps
from domain.pricing.schedule import ScheduleLine

DISBURSED_AHEAD_DAYS = 366
"""A loan is boarded at most so long before it is lent; a later day is taken for a typing error."""


OWED_DAYS = 1_830
"""Installments are taken as owed when they fell due at most five years ago."""


def board_loan(work: Work, command: BoardLoan) -> Change | Refusal:
    """Put a loan on the books and start the drivers of installments that are near."""
    today = local_day(work.at, command.product.timezone)
    if refusal := (
        _check_names(command, work.rules)
        or _check(command)
        or broken_rule(command, today)
        or _check_dates(command, today)
    ):
        return refusal
    if command.loan_id in work.loans:
        return Refusal("loan.known", f"loan {command.loan_id} is on the books already")
    if refusal := refuses_loan(work, command.mandate, command.borrower) or _known_order(
        work, command
    ):
        return refusal
    items = tuple(_item(line) for line in command.schedule)
    mandate = put_under(work, command.loan_id, command.mandate, command.borrower)
    work.put_loan(
        Loan(
            id=command.loan_id,
            tenant=command.tenant,
            borrower=command.borrower,
            currency=command.currency,
            principal_minor=command.principal_minor,
            disbursed_on=command.disbursed_on,
            product=command.product,
            mandate=mandate,
            installments=items,
            version=0,
        )
    )
    for item in items:
        work.note(command.loan_id, item.number, "", State.SCHEDULED, "boarded", str(item.due_on))
    if command.opening is not None:
        bring_over(work, command, command.opening)
    for item in items:
        if item.due_on < today and command.past is Past.IGNORE:
            settled = "it fell due before boarding and was settled elsewhere"
            work.move(command.loan_id, item.number, Event.CANCELLED, settled)
        else:
            _open_if_near(work, command.loan_id, item.number, today)
    return work.finish(Done(note=f"boarded {len(items)} installments"))


def roll_day(work: Work, command: RollDay) -> Change:
    """Book what the beginning of a local day brings for one loan."""
    loan_id = command.loan_id
    if loan_id not in work.loans:
        return work.finish(Done(note="unknown loan"))
    # A day that has not begun brings nothing yet, and one that was done before nothing more.
    day = min(command.day, work.today(loan_id))
    done = work.loan(loan_id).rolled_through
    if done is not None and day < done:
        return work.finish(Done(note="rolled before"))
    for item in work.loan(loan_id).installments:
        _roll_item(work, loan_id, item.number, day)
    if done != day:
        work.put_loan(replace(work.loan(loan_id), rolled_through=day))
    return work.finish(Done(note="rolled"))


def _known_order(work: Work, command: BoardLoan) -> Refusal | None:
    """A debit of the opening whose number another loan has: nobody knows whose it is."""
    debits = command.opening.attempts if command.opening is not None else ()
    for order_no in (attempt.order_no for attempt in debits):
        if loan_id := work.orders.get(order_no):
            return Refusal("opening.order_no", f"order {order_no} is on the books, of {loan_id}")
    return None


def _check_names(command: BoardLoan, rules: Rulebook) -> Refusal | None:
    """What the product names must be known here, or nothing of the loan could ever be done."""
    product = command.product
    if product.rail not in rules.rails:
        known = ", ".join(sorted(rules.rails))
        return Refusal("product.rail", f"{product.rail} of {product.ref} is no rail here: {known}")
    if product.calendar not in rules.calendars:
        known = ", ".join(sorted(rules.calendars))
        why = f"{product.calendar} of {product.ref} is no calendar here: {known}"
        return Refusal("product.calendar", why)
    return next(unfit_accounts(product, rules.accounts), None)


def _check(command: BoardLoan) -> Refusal | None:
    """Rules that a loan must keep before it is on the books; the first one broken."""
    lines, product = command.schedule, command.product
    if not lines or [line.number for line in lines] != list(range(1, len(lines) + 1)):
        return Refusal("schedule.numbers", "installments are numbered 1, 2, 3 ... without a gap")
    if command.currency != product.currency:
        return Refusal("loan.currency", f"{command.currency} is not {product.currency}")
    if sum(line.principal for line in lines) != command.principal_minor:
        return Refusal("schedule.principal", "the schedule does not repay exactly the principal")
    if any(min(line.principal, line.interest, line.fee) < 0 for line in lines):
        return Refusal("schedule.negative", "no component of an installment is negative")
    if any(line.total <= 0 for line in lines):
        return Refusal("schedule.empty", "every installment asks for something")
    days = [line.due_on for line in lines]
    # A former system may have moved one due date past the next.
    if command.opening is None and any(a > b for a, b in pairwise(days)):
        return Refusal("schedule.order", "no installment falls due before the one before it")
    if min(days) < command.disbursed_on:
        why = f"the first installment falls due on {min(days)}, before the loan is lent"
        return Refusal("schedule.before_disbursement", why)
    if command.mandate.rail != product.rail:
        return Refusal("mandate.rail", f"the mandate is for {command.mandate.rail}")
    broken = broken_caps(product.caps, command.principal_minor, command.disbursed_on, lines)
    return Refusal("loan.cost", "; ".join(map(str, broken))) if broken else None


def _check_dates(command: BoardLoan, today: date) -> Refusal | None:
    """Rules about the day of boarding: nothing is debited at once unless somebody said so."""
    latest = today + timedelta(days=DISBURSED_AHEAD_DAYS)
    if command.disbursed_on > latest:
        return Refusal("loan.disbursed_on", f"{command.disbursed_on} is not {latest} or before")
    oldest = today - timedelta(days=OWED_DAYS)
    known, lines = date.min, command.schedule
    if (opening := command.opening) is not None and command.past is Past.OWED:
        lines = tuple(line for line, _ in debt_history(command, opening).owed())
    elif opening is not None:
        known = opening.as_of
    past = sorted(line.due_on for line in lines if known < line.due_on < today)
    if not past:
        return None
    past_due = f"{len(past)} of {len(command.schedule)} installments fell due before {today}"
    match command.past:
        case Past.OWED if past[0] < oldest:
            return Refusal("schedule.past", f"{past_due}, the first on {past[0]}, before {oldest}")
        case Past.OWED:
            return None
        case Past.REFUSE:
            ways = "ignore (settled elsewhere) or owed (debited at once)"
            return Refusal("schedule.past", f"{past_due}, the first on {past[0]}; say past: {ways}")
        case Past.IGNORE if len(past) == len(command.schedule):
            return Refusal("schedule.past", f"{past_due}: nothing is left to collect")
        case Past.IGNORE if command.product.caps is not None:
            why = "what was paid of them counts towards the ceilings of the product"
            return Refusal("schedule.past", f"{past_due}; {why}, so they cannot be ignored")
        case Past.IGNORE:
            return None
        case _:
            assert_never(command.past)


def _item(line: ScheduleLine) -> Installment:
    scheduled = Amounts(principal=line.principal, interest=line.interest, fee=line.fee)
    return Installment(line.number, line.due_on, scheduled)


def _roll_item(work: Work, loan_id: str, number: int, day: date) -> None:
    item = work.item(loan_id, number)
    if item.state is State.SCHEDULED and item.due_on <= day:
        _fall_due(work, loan_id, number)
    _expire_notices(work, loan_id, number)
    charge_to_date(work, loan_id, number)
    item = work.item(loan_id, number)
    if item.state is State.SETTLED:
        work.touch(loan_id, number)
    _end_attempts(work, loan_id, number)
    _notice_standstill(work, loan_id, number)
    _open_if_near(work, loan_id, number, day)


def _fall_due(work: Work, loan_id: str, number: int) -> None:
    fall_due(work, loan_id, number)
    work.move(loan_id, number, Event.FELL_DUE)
    place_waiting(work, loan_id)


def _expire_notices(work: Work, loan_id: str, number: int) -> None:
    """A message without a delivery report for too long has failed: the next channel follows."""
    item = work.item(loan_id, number)
    within = work.loan(loan_id).product.reminders.delivery_report_within
    late = [
        notice
        for notice in item.notices
        if notice.state is NoticeState.QUEUED and agenda.is_overdue(notice, work.at, within)
    ]
    if late:
        failed = {notice.message_id for notice in late}
        notices = tuple(
            replace(notice, state=NoticeState.FAILED) if notice.message_id in failed else notice
            for notice in item.notices
        )
        work.put(loan_id, replace(item, notices=notices))
        for notice in late:
            work.note(
                loan_id,
                number,
                NoticeState.QUEUED,
                NoticeState.FAILED,
                "notice_unanswered",
                notice.channel,
            )


def _end_attempts(work: Work, loan_id: str, number: int) -> None:
    """Time alone can end a retry plan: its last day has passed, or the mandate's term."""
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    decision: object = None
    if item.state is State.RETRYING:
        decision = retry_decision(loan, item, work.rules, work.at)
    elif item.state is State.DUE:
        decision = not_debitable(loan, item, work.rules)
    if isinstance(decision, NoRetry):
        work.move(loan_id, number, Event.ATTEMPTS_EXHAUSTED, f"{decision.rule}: {decision.reason}")


def _notice_standstill(work: Work, loan_id: str, number: int) -> None:
    """Owed, not held, and nothing comes next: a person has to look, for nobody else will."""
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    if item.state not in {State.DUE, State.RETRYING} or item.hold is not None:
        return
    awaits_report = any(notice.state is NoticeState.QUEUED for notice in item.notices)
    if not awaits_report and agenda.next_action(loan, item, work.rules, work.at) is None:
        need_operator(work, loan_id, number, "nothing may be presented: no notice was delivered")


def _open_if_near(work: Work, loan_id: str, number: int, day: date) -> None:
    opening = agenda.opens_on(work.loan(loan_id), work.item(loan_id, number), work.rules, work.at)
    if opening is not None and opening <= day:
        work.open_driver(loan_id, number)
