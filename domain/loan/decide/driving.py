"""Actions of the driver: remind, present, send again, review. A moot action is superseded."""

import base64
from dataclasses import replace
from datetime import datetime
from itertools import count

from domain.calendar import latest_in_window, local_day
from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.debit.attempt import Attempt, AttemptState, DebitOrder
from domain.debit.history import NEVER_PRESENTED
from domain.debit.presentment import next_cut, value_day
from domain.debit.rail import RailProfile
from domain.kernel import canonical
from domain.kernel.change import Done, Refusal
from domain.kernel.view import Action
from domain.loan import agenda, casekeys, closure
from domain.loan.aggregate import Installment, Loan, NoticeRecord, NoticeState
from domain.loan.asking import NO_DEBIT
from domain.loan.change import Change, Ordered
from domain.loan.commands import (
    ActionCommand,
    IntendDebit,
    QueueReminder,
    RecordDeliveryReport,
    RenewSend,
    Review,
)
from domain.loan.decide.charges import charge_through, fall_due
from domain.loan.decide.filing import is_covered
from domain.loan.decide.money import place_waiting, waits_for
from domain.loan.decide.outcomes import end_unpaid
from domain.loan.decide.tasks import need_operator, of_another_channel
from domain.loan.decide.work import Work
from domain.loan.doubts import doubt_about
from domain.loan.lifecycle import Event, State
from domain.loan.notice import NOTICE, QueuedNotice
from domain.loan.waiting import left_to_take
from domain.loanclosure.decide import borrower_told
from domain.money import amount_text

READABLE_LEAST = 30
"""Characters of an order number that shows loan, installment and attempt."""


def due_action(work: Work, command: ActionCommand) -> Action | None:
    """The action that the command performs, if it is still what comes next and is due."""
    item = work.item(command.loan_id, command.number)
    if command.generation != item.generation:
        return None
    action = agenda.next_action(work.loan(command.loan_id), item, work.rules, work.at, work.cases)
    if action is None or action.key != command.action or action.not_before > work.at:
        return None
    return action


def queue_reminder(work: Work, command: QueueReminder) -> Change:
    """Write a reminder to the outbox, once for each rule and channel."""
    loan_id, number = command.loan_id, command.number
    if due_action(work, command) is None:
        return work.superseded(loan_id, number)
    which = command.action.removeprefix("remind/")
    index, step = (int(text) for text in which.split("/")[:2])
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    rule = loan.product.reminders.rules[index]
    channel = rule.channels[step]
    message_id = f"N-{loan_id}-{number}-g{item.generation}-{which.replace('/', '-')}"
    amount = (item.owed if item.fell_due else item.scheduled).total
    notice = NoticeRecord(
        message_id, index, step, channel, work.at, amount_minor=amount, due_on=item.due_on
    )
    work.put(loan_id, replace(item, notices=(*item.notices, notice)))
    work.note(loan_id, number, "", NoticeState.QUEUED, "reminder_queued", f"{channel} {message_id}")
    allowed = loan.product.reminders.allowed
    not_after = latest_in_window(local_day(work.at, allowed.timezone), allowed)
    body = _notice(loan, number, notice, rule.template, not_after)
    work.send(NOTICE.message(f"notice/{message_id}", body))
    return work.done(loan_id, number, "reminder queued")


def intend_debit(work: Work, command: IntendDebit) -> Change | Refusal:
    """Fix order number, merchant, amount and lease before the first byte leaves.

    Where the rail takes files, the order waits in the next one and is not sent by itself.
    """
    loan_id, number = command.loan_id, command.number
    if due_action(work, command) is None:
        return work.superseded(loan_id, number)
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    live = item.live_attempt
    rail = work.rules.rail(live.rail if live is not None else loan.product.rail)
    calendar = work.rules.calendar(rail.calendar)
    cut_at = next_cut(work.at, rail, calendar)
    value_on = value_day(rail, calendar, local_day(cut_at or work.at, rail.timezone))
    if live is not None:
        if waits_for(work, loan_id, number) or not is_covered(loan, live, value_on):
            return _withdraw(work, loan_id, number, live)
        return _send_again(work, loan_id, number, live)
    fall_due(work, loan_id, number)
    place_waiting(work, loan_id)
    if not work.item(loan_id, number).owed.total:
        return work.superseded(loan_id, number)
    if not loan.mandate.allows(value_on):
        return _stop_debiting(
            work, loan_id, number, Event.MANDATE_ENDED, f"not valid on {value_on}"
        )
    # The charge can set free what had paid a penalty: that money comes before any debit.
    charge_through(work, loan_id, number, value_on, tried_on=value_on)
    place_waiting(work, loan_id)
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    open_minor = left_to_take(loan, item, work.today(loan_id))
    amount = min([open_minor, *_caps(loan, item, rail)])
    if amount <= 0:
        open_text = amount_text(open_minor, loan.currency)
        return Refusal("debit.nothing_to_take", f"{open_text} are open, a cap allows none")
    original = _original(item) if rail.same_amount_on_retry else None
    if original is not None and original != amount:
        first, now = (amount_text(it, loan.currency) for it in (original, amount))
        why = f"the rail takes {first} again or nothing, and {now} is to be taken"
        return _stop_debiting(work, loan_id, number, Event.ATTEMPTS_EXHAUSTED, why)
    made = len(item.attempts) + 1
    attempt = Attempt(
        number=made,
        order_no=_free_number(work, loan, number, made, rail.order_no_most),
        merchant_id=loan.mandate.merchant_id,
        mandate_ref=loan.mandate.ref,
        rail=rail.name,
        amount_minor=amount,
        value_on=value_on,
        intended_at=work.at,
        send_until=cut_at or work.at + rail.lease,
        sends=0 if cut_at else 1,
        batch_ref=f"{rail.name}-{cut_at:%Y%m%dT%H%M}" if cut_at else None,
        cut_at=cut_at,
        was_retrying=cut_at is not None and item.state is State.RETRYING,
    )
    _keep_intent(work, loan, number, attempt)
    if cut_at is not None:
        return work.done(loan_id, number, f"waits in file {attempt.batch_ref}")
    return work.finish(Ordered(_order(loan, number, attempt)), (loan_id, number))


def _keep_intent(work: Work, loan: Loan, number: int, attempt: Attempt) -> None:
    """The intent is written: number and amount are fixed from here on."""
    item, order_no = work.item(loan.id, number), attempt.order_no
    work.put(loan.id, replace(item, attempts=(*item.attempts, attempt), retry_ordered_at=None))
    work.move(loan.id, number, Event.DEBIT_INTENDED, f"order {order_no}")
    amount = f"{attempt.amount_minor}"
    work.note(loan.id, number, "", AttemptState.INTENDED, "attempt", amount, order_no)
    _notice_undelivered(work, loan, number)


def renew_send(work: Work, command: RenewSend) -> Change | Refusal:
    """Take the lease of a live order again; only where the rail is proven idempotent."""
    loan_id, number = command.loan_id, command.number
    found = [a for a in work.item(loan_id, number).attempts if a.order_no == command.order_no]
    if not found:
        return Refusal("debit.unknown_order", f"no order {command.order_no} of {loan_id}/{number}")
    attempt = found[0]
    if not attempt.is_live:
        return work.superseded(loan_id, number)
    if attempt.cut_at is not None:
        return Refusal("debit.in_file", f"order {attempt.order_no} is sent with its file only")
    if work.at < attempt.send_until:
        return Refusal("debit.lease", f"order {attempt.order_no} is leased to another sender")
    if not work.rules.rail(attempt.rail).idempotent:
        return Refusal("debit.not_idempotent", f"{attempt.rail} may execute one number twice")
    if work.item(loan_id, number).hold in NO_DEBIT:
        return Refusal("debit.held", "a hold stops every send; asking goes on")
    if case := doubt_about(work.cases, loan_id, number):
        return Refusal("debit.case_open", f"case {case} about an order of it is open")
    if (bar := work.loan(loan_id).mandate.bar) is not None:
        return Refusal("mandate.barred", f"nothing is sent under the mandate: {bar}")
    if waits_for(work, loan_id, number):
        return Refusal(
            "debit.money_waits", "money that came another way waits for the final outcome"
        )
    return _send_again(work, loan_id, number, attempt)


def review(work: Work, command: Review) -> Change:
    """Money reported and not proven by its deadline becomes a case and a person's task."""
    loan_id, number = command.loan_id, command.number
    if due_action(work, command) is None:
        return work.superseded(loan_id, number)
    loan, item = work.loan(loan_id), work.item(loan_id, number)
    portions = closure.unproven(loan, item)
    open_minor = sum(portion.clearing_minor for portion in portions)
    text = f"{amount_text(open_minor, loan.currency)} are reported and not proven at the bank"
    ahead = [(portion, holder) for portion in portions if (holder := portion.holder)]
    for portion, holder in ahead:
        amount = amount_text(portion.clearing_minor, loan.currency)
        text += (
            f"; {amount} of it were paid ahead to {holder}, which has not remitted them: payment "
            f"{portion.id}"
        )
    work.open_case(
        Case(
            casekeys.unsettled(loan_id, number),
            CaseKind.UNSETTLED,
            text,
            loan_id=loan_id,
            number=number,
            payment=ahead[0][0].id if ahead else None,
            amount_minor=open_minor,
            currency=loan.currency,
            code="not_remitted" if ahead else "",
        )
    )
    need_operator(work, loan_id, number, "settlement is late")
    return work.done(loan_id, number, "settlement is late")


def record_delivery_report(work: Work, command: RecordDeliveryReport) -> Change:
    """What became of a message; a late *delivered* replaces an earlier *failed*."""
    loan_id = work.aggregates.messages.get(command.message_id)
    if loan_id is None:
        return work.finish(Done(note="unknown message"))
    state = NoticeState.DELIVERED if command.delivered else NoticeState.FAILED
    for item in work.loan(loan_id).installments:
        for notice in item.notices:
            if notice.message_id != command.message_id:
                continue
            if command.channel and command.channel != notice.channel:
                return of_another_channel(work, command, (loan_id, item.number), notice)
            became = notice_became(work, command.message_id, state)
            return work.done(loan_id, item.number, state.value if became else "known")
    return work.finish(Done(note="unknown message"))


def notice_became(work: Work, message_id: str, state: NoticeState) -> bool:
    """Put down what became of a message to a borrower; False if nothing new is said of it."""
    loan_id = work.aggregates.messages.get(message_id, "")
    items = work.loan(loan_id).installments if loan_id else ()
    found = ((of, notice) for of in items for notice in of.notices)
    for item, notice in found:
        if notice.message_id != message_id or notice.state in {state, NoticeState.DELIVERED}:
            continue
        notices = tuple(replace(n, state=state) if n is notice else n for n in item.notices)
        work.put(loan_id, replace(item, notices=notices))
        work.note(loan_id, item.number, notice.state, state, f"notice_{state}", notice.channel)
        arrived = state is NoticeState.DELIVERED
        borrower_told(work, loan_id, message_id, notice.channel, delivered=arrived)
        if agenda.was_reminded(work.item(loan_id, item.number)):
            work.close_case(casekeys.no_reminder(loan_id, item.number))
        return True
    return False


def _send_again(work: Work, loan_id: str, number: int, attempt: Attempt) -> Change:
    """The same order, under a new lease: number, merchant, amount and value date stay."""
    rail = work.rules.rail(attempt.rail)
    renewed = replace(
        attempt,
        send_until=work.at + rail.lease,
        sends=abs(attempt.sends) + 1,
        asked_at=work.at,
    )
    item = work.item(loan_id, number)
    attempts = tuple(renewed if a.number == attempt.number else a for a in item.attempts)
    work.put(loan_id, replace(item, attempts=attempts))
    work.note(loan_id, number, attempt.state, attempt.state, "sent_again", "", attempt.order_no)
    return work.finish(Ordered(_order(work.loan(loan_id), number, renewed)), (loan_id, number))


def _withdraw(work: Work, loan_id: str, number: int, attempt: Attempt) -> Change:
    """An order that never left and is wanted no more as it stands: whatever is owed is anew."""
    ended = replace(attempt, state=AttemptState.RECALLED, code="NEVER_LEFT", ended_at=work.at)
    end_unpaid(work, loan_id, number, ended)
    place_waiting(work, loan_id)
    return work.superseded(loan_id, number)


def _caps(loan: Loan, item: Installment, rail: RailProfile) -> list[int]:
    """What limits the amount of a debit: mandate, rail, and what was announced to the borrower."""
    caps = [cap for cap in (loan.mandate.cap_minor, rail.amount_max_minor) if cap is not None]
    announced = [n.amount_minor for n in item.notices if n.state is NoticeState.DELIVERED]
    if announced and loan.product.reminders.require_delivered:
        caps.append(max(announced))
    return caps


def _original(item: Installment) -> int | None:
    """The amount of the first presentment since the last reset, if there was one."""
    since = [a for a in item.attempts if a.number > item.retries_reset_at]
    presented = [a.amount_minor for a in since if a.state not in NEVER_PRESENTED]
    return presented[0] if presented else None


def _stop_debiting(work: Work, loan_id: str, number: int, event: Event, why: str) -> Change:
    """The machine presents no more: delinquent, after falling due if it was not yet."""
    if work.item(loan_id, number).state is State.SCHEDULED:
        work.move(loan_id, number, Event.FELL_DUE)
    work.move(loan_id, number, event, why)
    return work.superseded(loan_id, number)


def _notice_undelivered(work: Work, loan: Loan, number: int) -> None:
    """No reminder is known to have arrived: noticed before the debit, and seen by a person."""
    item = work.item(loan.id, number)
    if loan.product.reminders.rules and not agenda.was_reminded(item) and len(item.attempts) == 1:
        work.open_case(
            Case(
                casekeys.no_reminder(loan.id, number),
                CaseKind.NO_REMINDER_DELIVERED,
                "the debit goes out and no reminder is known to have arrived",
                loan_id=loan.id,
                number=number,
            )
        )


def _order(loan: Loan, number: int, attempt: Attempt) -> DebitOrder:
    return DebitOrder(
        order_no=attempt.order_no,
        merchant_id=attempt.merchant_id,
        mandate_ref=attempt.mandate_ref,
        rail=attempt.rail,
        amount_minor=attempt.amount_minor,
        currency=loan.currency,
        value_on=attempt.value_on,
        loan_id=loan.id,
        number=number,
        send_until=attempt.send_until,
    )


def _notice(
    loan: Loan, number: int, notice: NoticeRecord, template: str, not_after: datetime
) -> QueuedNotice:
    item = loan.installment(number)
    return QueuedNotice(
        message_id=notice.message_id,
        channel=notice.channel,
        to=loan.borrower,
        language=loan.product.language,
        template=template,
        not_after=not_after,
        values={
            "loan": loan.id,
            "installment": str(number),
            "amount_minor": str(notice.amount_minor),
            "currency": loan.currency,
            "due_on": item.due_on.isoformat(),
        },
    )


def _free_number(work: Work, loan: Loan, number: int, made: int, most: int) -> str:
    """The order number of an attempt: the usual one, or the next that no order has.

    A former system may have used it, for this loan or for another one. The books look up who has a
    number only where two are found to be one, and decide again.
    """
    known = {attempt.order_no for _, attempt in loan.attempts()} | work.orders.keys()
    numbers = (order_number(loan.tenant, loan.id, number, made + more, most) for more in count())
    return next(name for name in numbers if name not in known)


def order_number(
    tenant: str, loan_id: str, number: int, attempt: int, most: int = READABLE_LEAST
) -> str:
    """The rail's order number of an attempt: letters and digits, unique, at most `most` of them.

    Where a rail keeps enough of it, it shows loan, installment and attempt, and a digest keeps
    loans apart whose ids differ only in what is left out. Otherwise it is a digest alone. Numbers
    of installments and attempts beyond the usual digits leave less of the loan.
    """
    digest = canonical.digest((tenant, loan_id, number, attempt))
    if most < READABLE_LEAST:
        return base64.b32encode(bytes.fromhex(digest)).decode()[:most]
    readable = "".join(char for char in loan_id if char.isascii() and char.isalnum())
    tail = f"{number:03d}{attempt:02d}{digest[:8].upper()}"
    return readable[-min(16, most - len(tail)) :] + tail
