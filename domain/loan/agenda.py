"""Computes what comes next for an installment, when and why; the view carries it to the driver.

Pure: product, calendar, rail, retry policy and history in, UTC instants with reasons out. A
gazetted holiday or a moved cut-off therefore reaches a running driver as a newer view.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType

from domain.calendar import BankingCalendar, earliest_in_window, local_day, local_instant
from domain.case.case import Case
from domain.debit.attempt import WITHDRAWN
from domain.debit.history import NEVER_PRESENTED
from domain.debit.presentment import earliest_slot, first_presentment
from domain.debit.rail import RailProfile
from domain.debit.retry import RetryAt
from domain.kernel.view import Action, Labels, View
from domain.loan import closure
from domain.loan.aggregate import HoldKind, Installment, Loan, NoticeRecord, NoticeState, Rulebook
from domain.loan.asking import NO_DEBIT, while_live
from domain.loan.doubts import doubt_about
from domain.loan.lifecycle import FINAL, State
from domain.loan.retrying import ends_on, not_debitable, not_missed, retry_decision
from domain.loan.view import ActionKind, InstallmentDetail, InstallmentView, installment
from domain.loan.waiting import left_to_take

OPEN_AHEAD_DAYS = 10
"""Days before its first action at which a driver is started."""
REMINDER_STALE_AFTER = timedelta(hours=24)
"""A reminder not sent this long after its planned instant is left out.

A product that requires a delivered reminder then takes no debit.
"""
BEFORE_DUE = frozenset({State.SCHEDULED, State.DUE})
OVERDUE = frozenset({State.DUE, State.RETRYING, State.DELINQUENT})
REVIEW_AT = time(12, 0)
NO_CASES: Mapping[str, Case] = MappingProxyType({})


def next_action(
    loan: Loan,
    item: Installment,
    rules: Rulebook,
    at: datetime,
    cases: Mapping[str, Case] = NO_CASES,
) -> Action | None:
    """The next thing that the driver has to do, or None when it only waits for news.

    `cases`: the open ones of the loan; while one puts an order of the installment in question, the
    next debit is looked at again a day later.
    """
    match item.state:
        case State.SCHEDULED | State.DUE | State.RETRYING:
            actions = [*_reminders(loan, item, at), *_presentment(loan, item, rules, at, cases)]
            return min(actions, key=lambda action: action.not_before, default=None)
        case State.PRESENTED | State.IN_DOUBT:
            barred_by = loan.mandate.bar is not None
            in_doubt = barred_by or bool(doubt_about(cases, loan.id, item.number))
            return while_live(item, rules, at, is_doubtful=in_doubt)
        case State.CLEARING:
            return _settlement_deadline(loan, item, rules)
        case _:
            return None


def view_of(
    loan: Loan,
    number: int,
    rules: Rulebook,
    at: datetime,
    cases: Mapping[str, Case],
) -> InstallmentView:
    """The view of one installment at an instant."""
    item = loan.installment(number)
    last = item.attempts[-1] if item.attempts else None
    lacks = closure.missing(loan, item, cases, rules, at) if item.fell_due else ()
    kinds = closure.kinds_about(loan, number, cases)
    failed = last if last and last.code not in {"00", ""} else None
    return View(
        tenant=loan.tenant,
        subject=installment(loan.id, number),
        generation=item.generation,
        version=item.version,
        state=item.state.value,
        labels=Labels(
            loan_id=loan.id,
            number=number,
            due_on=item.due_on,
            currency=loan.currency,
            amount_minor=(item.owed if item.fell_due else item.scheduled).total,
            rail=loan.product.rail,
            code=failed.code if failed else "",
            attempt_no=last.number if last else 0,
        ),
        detail=InstallmentDetail(
            attempt_state=last.state.value if last else "",
            order_no=last.order_no if last else "",
            failure_class=failed.outcome_class.value if failed and failed.outcome_class else "",
            hold=item.hold.value if item.hold else "",
            cases=kinds,
            timezone=loan.product.timezone,
        ),
        is_final=item.state in FINAL,
        next_action=next_action(loan, item, rules, at, cases),
        missing=tuple(lack.code for lack in lacks),
        needs_operator=item.needs_operator or ", ".join(kinds),
        as_of=at,
    )


def next_roll_on(loan: Loan, rules: Rulebook, at: datetime) -> date | None:
    """The next local day on which the bulk sweep has something to do for this loan."""
    days = [day for item in loan.installments for day in _roll_days(loan, item, rules, at)]
    if not days:
        return None
    floor = loan.rolled_through + timedelta(days=1) if loan.rolled_through else min(days)
    return max(min(days), floor)


def opens_on(loan: Loan, item: Installment, rules: Rulebook, at: datetime) -> date | None:
    """The local day on which the driver of an installment is to be started."""
    action = next_action(loan, item, rules, at)
    if action is None or item.driver.opened:
        return None
    first = local_day(action.not_before, loan.product.timezone)
    return first - timedelta(days=OPEN_AHEAD_DAYS)


def _roll_days(loan: Loan, item: Installment, rules: Rulebook, at: datetime) -> Iterator[date]:
    product = loan.product
    if not item.driver.opened and (opening := opens_on(loan, item, rules, at)) is not None:
        yield opening
    if item.state is State.SCHEDULED:
        yield item.due_on
    if item.state is State.RETRYING:
        yield ends_on(loan, item, rules, at)
    for notice in item.notices:
        if notice.state is NoticeState.QUEUED and item.state in BEFORE_DUE:
            late = notice.queued_at + product.reminders.delivery_report_within
            yield local_day(late, product.timezone) + timedelta(days=1)
    if item.state is State.SETTLED:
        end = closure.window_ends(loan, item, rules)
        if loan.rolled_through is None or end > loan.rolled_through:
            yield end
    if product.penalty and item.owed.total and item.state in OVERDUE:
        after_grace = item.due_on + timedelta(days=product.penalty.grace_days + 2)
        done = item.penalty_through
        yield max(after_grace, done + timedelta(days=2)) if done else after_grace


def is_paid_ahead(loan: Loan, item: Installment) -> bool:
    """Whether what was paid ahead covers an installment that is still to fall due."""
    ahead = sum(portion.advance_minor for portion in loan.portions)
    if item.fell_due or not ahead:
        return False
    before = loan.installments[: item.number]
    return ahead >= sum(other.scheduled.total for other in before if not other.fell_due)


def _reminders(loan: Loan, item: Installment, at: datetime) -> Iterator[Action]:
    """Reminders still to send, each on its day and never in quiet hours."""
    if reminder_bar(loan, item):
        return
    plan = loan.product.reminders
    for index, rule in enumerate(plan.rules):
        day = item.due_on - timedelta(days=rule.days_before)
        planned = local_instant(day, rule.at, loan.product.timezone)
        step = reminder_step(item, index, at, plan.delivery_report_within)
        if step is None or step >= len(rule.channels):
            continue
        if step == 0 and planned < at - REMINDER_STALE_AFTER:
            continue
        instant = earliest_in_window(planned if step == 0 else max(planned, at), plan.allowed)
        if instant < at:  # missed: still today, but never in the hours of quiet
            now = earliest_in_window(at, plan.allowed)
            instant = instant if now == at else now
        reason = f"reminder {rule.days_before} days before {item.due_on} by {rule.channels[step]}"
        yield Action(
            ActionKind.REMIND, instant, reason, f"remind/{index}/{step}{_again(item, index)}"
        )


def reminder_bar(loan: Loan, item: Installment) -> str:
    """Why the borrower may not be reminded of an installment now; empty: they may."""
    if item.state not in BEFORE_DUE or item.attempts:
        return f"it is {item.state.value}, and {len(item.attempts)} orders went out"
    if item.hold in {HoldKind.CONTACT, HoldKind.ALL}:
        return f"on hold ({item.hold})"
    return "paid ahead" if is_paid_ahead(loan, item) else ""


def _again(item: Installment, rule: int) -> str:
    """Ending of the action's key when messages of the rule named another due date, moved since."""
    others = [n for n in item.notices if n.rule == rule and n.due_on not in {None, item.due_on}]
    return f"/{item.due_on:%Y%m%d}" if others else ""


def reminder_step(
    item: Installment, rule: int, at: datetime, delivery_report_within: timedelta
) -> int | None:
    """Index of the channel to try next for a rule: 0 at first, None when delivered or awaited.

    A message that named another due date does not count: after a move the borrower is notified
    anew.
    """
    sent = [n for n in item.notices if n.rule == rule and n.due_on in {None, item.due_on}]
    if not sent:
        return 0
    last = max(sent, key=lambda notice: notice.step)
    if last.state is NoticeState.DELIVERED:
        return None
    if last.state is NoticeState.QUEUED and not is_overdue(last, at, delivery_report_within):
        return None
    return last.step + 1


def is_overdue(notice: NoticeRecord, at: datetime, delivery_report_within: timedelta) -> bool:
    """Whether a message has had no delivery report for so long that the next channel follows."""
    return at >= notice.queued_at + delivery_report_within


def was_reminded(item: Installment) -> bool:
    """Whether any reminder of the installment and its due date is known to have been delivered."""
    mine = (n for n in item.notices if n.rule >= 0)  # others tell that the loan is settled
    notices = (n for n in mine if n.due_on in {None, item.due_on})
    return any(notice.state is NoticeState.DELIVERED for notice in notices)


def _presentment(
    loan: Loan,
    item: Installment,
    rules: Rulebook,
    at: datetime,
    cases: Mapping[str, Case],
) -> Iterator[Action]:
    """The next debit; while a case about an order of it is open, no earlier than tomorrow."""
    case, left_out = doubt_about(cases, loan.id, item.number), _file_left_out(item)
    for action in _planned(loan, item, rules, at):
        start = max(action.not_before, left_out or action.not_before)
        rail = rules.rail(loan.product.rail)
        if not case and (left_out is None or left_out <= action.not_before):
            yield action
            continue
        reason = action.reason
        if case:
            morrow = local_day(at, rail.timezone) + timedelta(days=1)
            start = max(start, local_instant(morrow, loan.product.present_at, rail.timezone))
            reason = f"waits for the end of case {case}"
        slot = earliest_slot(start, rail, rules.calendar(rail.calendar))
        yield replace(action, not_before=slot, reason=reason)


def _file_left_out(item: Installment) -> datetime | None:
    """The cut of the file that a person took the last order out of: no other order goes into it."""
    last = item.attempts[-1] if item.attempts else None
    return last.cut_at if last is not None and last.code == WITHDRAWN else None


def _planned(loan: Loan, item: Installment, rules: Rulebook, at: datetime) -> Iterator[Action]:
    """The next debit by plan and history alone."""
    product = loan.product
    today = local_day(at, product.timezone)
    if item.hold in NO_DEBIT or not left_to_take(loan, item, today):
        return
    if product.reminders.require_delivered and product.reminders.rules and not was_reminded(item):
        return
    rail = rules.rail(product.rail)
    calendar = rules.calendar(rail.calendar)
    key = f"present/{len(item.attempts) + 1}"
    if item.state is State.RETRYING:
        decision = retry_decision(loan, item, rules, at)
        if isinstance(decision, RetryAt):
            yield Action(ActionKind.PRESENT, decision.not_before, decision.reason, key)
        return
    if not_debitable(loan, item, rules):
        return
    if item.retry_ordered_at is not None:
        slot = _ordered_slot(item, item.retry_ordered_at, at, rail, calendar)
        yield Action(ActionKind.PRESENT, slot, "ordered by an operator", key)
        return
    first = first_presentment(item.due_on, product.present_at, rail, calendar)
    if at < first.last_at:
        yield Action(ActionKind.PRESENT, first.not_before, first.reason, key)
    else:
        slot = earliest_slot(at, rail, calendar)
        yield Action(ActionKind.PRESENT, slot, f"{first.reason}; its slot has passed", key)


def _ordered_slot(
    item: Installment,
    ordered_at: datetime,
    at: datetime,
    rail: RailProfile,
    calendar: BankingCalendar,
) -> datetime:
    """The first slot after an order, not on a day that has used up the rail's attempts."""
    slot = not_missed(earliest_slot(ordered_at, rail, calendar), at, rail, calendar)
    day = local_day(max(slot, at), rail.timezone)
    presented = [a for a in item.attempts if a.state not in NEVER_PRESENTED]
    that_day = [a for a in presented if local_day(a.intended_at, rail.timezone) == day]
    if len(that_day) < rail.attempts_per_day:
        return slot
    midnight = local_instant(day + timedelta(days=1), time.min, rail.timezone)
    return earliest_slot(midnight, rail, calendar)


def _settlement_deadline(loan: Loan, item: Installment, rules: Rulebook) -> Action | None:
    """The review at which money reported and not proven becomes a case; None once it is one."""
    open_portions = closure.unproven(loan, item)
    if not open_portions or item.needs_operator:
        return None
    product = loan.product
    calendar = rules.calendar(product.calendar)
    newest = max(portion.value_on for portion in open_portions)
    day = calendar.add_banking_days(newest, product.closure.settlement_banking_days)
    instant = local_instant(day, REVIEW_AT, product.timezone)
    return Action(
        ActionKind.REVIEW, instant, f"settlement expected by {day}", f"review/settled/{newest}"
    )
