"""What an application brings of a loan in progress, as the rows of a history file and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date

from adapters.tapes.files.columns import OPENING_HEAD
from adapters.tapes.files.history import HistoryRow
from adapters.tapes.files.rows import HistoryFault
from adapters.tapes.loan.attempts import OUTCOMES, PLAN_COUNTS, PLAN_PAST, ClassOf
from adapters.tapes.loan.events import HistoryEvent, read_events
from adapters.tapes.loan.holds import bars_text
from adapters.tapes.loan.opening import opening_of
from adapters.tapes.loan.stated import stated_of
from domain.errors import InvalidInput
from domain.loan.boarding import BoardLoan
from domain.loan.debthistory import DebtHistory
from domain.loan.opening import Opening
from domain.money import decimal_text
from domain.pricing.amounts import Amounts
from domain.text import plain
from ports.boarding import ApplicationEvent, ApplicationOpening

_EVENTS_MOST = 5_000
_PLAN = {None: "", True: PLAN_COUNTS, False: PLAN_PAST}
_WORDS = {state: word for word, state in OUTCOMES.items()}


def brought_from_upstream(
    command: BoardLoan, sent: ApplicationOpening, class_of: ClassOf
) -> BoardLoan:
    """The command with the opening that the application states.

    Raises:
        InvalidInput: the first field that breaks a rule, such as `opening.history[2].principal`.
    """
    if len(sent.history) > _EVENTS_MOST:
        rule = f"at most {_EVENTS_MOST} rows"
        raise InvalidInput("opening.history", len(sent.history), rule)
    with _inside_opening():
        head = {name: text for name in OPENING_HEAD if (text := getattr(sent, name))}
        for name, text in head.items():
            plain(text, name)
        stated = stated_of(head, command.currency)
        lent = command.disbursed_on
        debt = DebtHistory(command.schedule, command.currency, lent, stated.as_of)
        rows = [_row(number, event) for number, event in enumerate(sent.history, start=1)]
        told = read_events(rows, debt, command.mandate.ref, class_of)
        return replace(command, opening=opening_of(stated, told))


def written_off_last(command: BoardLoan) -> int:
    """The last installment, if it was written off on its due date; 0 if it was not.

    Such a row may stand for what was written off as a whole, and falls due on no regular day.
    """
    last = command.schedule[-1]
    items = () if command.opening is None else command.opening.items
    found = (item.number for item in items if item.written_off_on == last.due_on)
    return last.number if last.number in found else 0


def opening_text(opening: Opening, currency: str) -> ApplicationOpening:
    """The opening as an application states it."""
    whole = next((hold for hold in opening.holds if hold.number is None), None)
    return ApplicationOpening(
        as_of=opening.as_of.isoformat(),
        holder=opening.holder,
        evidence=opening.evidence,
        advance=decimal_text(opening.advance_minor, currency) if opening.advance_minor else "",
        advance_ref=opening.advance_ref,
        hold="" if whole is None else whole.kind.value,
        hold_reason="" if whole is None else whole.reason,
        hold_since=_day(whole.since) if whole is not None else "",
        barred_by=bars_text(opening.bars),
        history=(
            *_money(opening, currency),
            *_debits(opening, currency),
            *_rest(opening, currency),
            *_holds(opening),
            *_advances(opening, currency),
        ),
    )


def _row(number: int, event: ApplicationEvent) -> HistoryRow:
    values = {item.name: text for item in fields(event) if (text := getattr(event, item.name))}
    if values.get("event") == HistoryEvent.SCHEDULED:
        rule = "what was done; rows of the schedule stand in the schedule of the application"
        raise HistoryFault(number, InvalidInput("event", values["event"], rule))
    return HistoryRow(number, values)


@contextmanager
def _inside_opening() -> Iterator[None]:
    """Name the fields of faults by their place in the application."""
    try:
        yield
    except HistoryFault as fault:
        field = f"opening.history[{fault.line}].{fault.field}"
        raise InvalidInput(field, fault.value, fault.rule) from None
    except InvalidInput as fault:
        raise InvalidInput(f"opening.{fault.field}", fault.value, fault.rule) from None


def _money(opening: Opening, currency: str) -> Iterator[ApplicationEvent]:
    orders = {attempt.order_no: attempt.number for attempt in opening.attempts}
    for payment in opening.payments:
        parts = [(part.number, part.amounts) for part in payment.parts]
        parts = parts or [(orders[payment.order_no], Amounts())]
        beyond = {"unplaced": payment.unplaced_minor, "returned": payment.returned_minor}
        texts = {name: decimal_text(minor, currency) for name, minor in beyond.items() if minor}
        for number, amounts in parts:
            yield ApplicationEvent(
                installment=str(number),
                event=HistoryEvent.PAID.value,
                on=_day(payment.on),
                order_no=payment.order_no,
                reference=payment.reference,
                bank_ref=" ".join(payment.bank_refs),
                **_texts(amounts, currency),
                **texts,
            )


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _holds(opening: Opening) -> Iterator[ApplicationEvent]:
    for hold in opening.holds:
        if hold.number is not None:
            yield ApplicationEvent(
                installment=str(hold.number),
                event=HistoryEvent.HELD.value,
                on=_day(hold.since),
                hold=hold.kind.value,
                reason=hold.reason,
            )


def _advances(opening: Opening, currency: str) -> Iterator[ApplicationEvent]:
    for part in opening.advances:
        yield ApplicationEvent(
            installment=str(part.number),
            event=HistoryEvent.ADVANCE.value,
            amount=decimal_text(part.minor, currency),
            reference=part.reference,
        )


def _debits(opening: Opening, currency: str) -> Iterator[ApplicationEvent]:
    for attempt in opening.attempts:
        yield ApplicationEvent(
            installment=str(attempt.number),
            event=HistoryEvent.ATTEMPT.value,
            on=attempt.value_on.isoformat(),
            amount=decimal_text(attempt.amount_minor, currency),
            order_no=attempt.order_no,
            mandate_ref=attempt.mandate_ref,
            outcome=_WORDS[attempt.state],
            code=attempt.code,
            outcome_class=attempt.outcome_class.value if attempt.outcome_class else "",
            cleared="yes" if attempt.is_cleared else "",
            plan=_PLAN[attempt.counts],
        )


def _rest(opening: Opening, currency: str) -> Iterator[ApplicationEvent]:
    """Charges, waivers, and installments that came to an end of their own."""
    for item in opening.items:
        number = str(item.number)
        penalty = Amounts(penalty=item.charged.penalty)
        for event, amounts in (
            (HistoryEvent.PENALTY, penalty),
            (HistoryEvent.CHARGED, item.charged - penalty),
            (HistoryEvent.WAIVED, item.waived),
        ):
            if amounts.total:
                texts = _texts(amounts, currency)
                yield ApplicationEvent(installment=number, event=event.value, **texts)
        if item.is_cancelled:
            yield ApplicationEvent(installment=number, event=HistoryEvent.CANCELLED.value)
        if item.written_off_on is not None:
            day = item.written_off_on.isoformat()
            yield ApplicationEvent(installment=number, event=HistoryEvent.WRITTEN_OFF.value, on=day)


def _texts(amounts: Amounts, currency: str) -> dict[str, str]:
    return {name.value: decimal_text(minor, currency) for name, minor in amounts.items()}
