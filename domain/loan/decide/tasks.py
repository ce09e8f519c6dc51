"""What people have to look at: tasks of an installment, cases about it, and their end."""

from dataclasses import replace

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.kernel.change import Done
from domain.loan import casekeys
from domain.loan.aggregate import NoticeRecord
from domain.loan.change import Change
from domain.loan.commands import RecordDeliveryReport
from domain.loan.decide.work import Work
from domain.loan.unparsed import RecordUnparsedEvent
from domain.statement.broken import EndStatementBreak, RecordStatementBreak


def need_operator(work: Work, loan_id: str, number: int, why: str) -> None:
    """Make an installment a visible human task."""
    item = work.item(loan_id, number)
    if not item.needs_operator:
        work.put(loan_id, replace(item, needs_operator=why))
        key = casekeys.operator(loan_id, number)
        open_case(work, loan_id, number, key, CaseKind.NEEDS_OPERATOR, why)


def end_of_doubt(work: Work, loan_id: str, number: int, order_no: str) -> None:
    """An attempt has its final outcome: nobody needs to look at its doubt any more."""
    item = work.item(loan_id, number)
    if item.needs_operator:
        work.put(loan_id, replace(item, needs_operator=""))
    work.close_case(casekeys.operator(loan_id, number))
    work.close_case(casekeys.unknown_code(order_no))
    if (
        case := work.cases.get(casekeys.unbelieved(order_no))
    ) and case.kind is not CaseKind.CONTRADICTION:
        work.close_case(case.key)


def unknown_order(work: Work, rail: str, order_no: str) -> Change:
    """Evidence about an order that nobody sent is kept as a case, never dropped."""
    work.open_case(
        Case(
            f"unknown_order/{rail}/{order_no}",
            CaseKind.UNKNOWN_ORDER,
            f"{rail} reports order {order_no}, which the books do not hold",
        )
    )
    return work.finish(Done(note="unknown order"))


def record_unparsed_event(work: Work, command: RecordUnparsedEvent) -> Change:
    """Evidence that nobody could read is kept as a case: the rail will not send it again."""
    work.open_case(
        Case(
            f"unparsed/{command.rail}/{command.event_id}",
            CaseKind.UNPARSED_EVENT,
            f"{command.rail} sent report {command.event_id} of type {command.type!r}, unparsed",
            code=command.type,
        )
    )
    return work.finish(Done(note="unparsed event"))


def record_statement_break(work: Work, command: RecordStatementBreak) -> Change:
    """A file or line that could not be taken is a case; what stands behind it goes on."""
    case = Case(command.key, CaseKind(command.what.value), command.text, code=command.cause)
    if command.line is None:
        work.open_case(case)
    else:
        minor, currency = command.amount_minor, command.currency
        case = replace(case, line=command.line, amount_minor=minor, currency=currency)
        work.open_alike(case, command.alike)
    return work.finish(Done(note="statement break"))


def end_statement_break(work: Work, command: EndStatementBreak) -> Change:
    """What a case about a statement waited for has come; one that has ended stays ended."""
    work.close_case(command.key, command.text)
    return work.finish(Done(note="statement break ended"))


def of_another_channel(
    work: Work, command: RecordDeliveryReport, subject: tuple[str, int], notice: NoticeRecord
) -> Change:
    """A carrier knows nothing of messages that another one sent: nothing changes but a case."""
    text = f"{command.channel} reports message {notice.message_id}, sent by {notice.channel}"
    loan_id, number = subject
    key = f"channel/{notice.message_id}"
    open_case(work, loan_id, number, key, CaseKind.REPORT_OF_ANOTHER_CHANNEL, text)
    return work.done(loan_id, number, "of another channel")


def open_case(
    work: Work,
    loan_id: str,
    number: int,
    key: str,
    kind: CaseKind,
    text: str,
    *,
    order: str = "",
    code: str = "",
) -> None:
    """Open a case about one installment.

    `order` is the number of the debit order that it is about, `code` the cause code where it is not
    the one of the report or the usual one of the kind.
    """
    work.open_case(
        Case(
            key,
            kind,
            text,
            loan_id=loan_id,
            number=number,
            currency=work.loan(loan_id).currency,
            code=code,
            links=(Link(LinkTo.ORDER, order),) if order else (),
        )
    )
