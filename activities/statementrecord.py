"""Turns a read statement into the record that is kept, and back; faults in words."""

from domain.statement.neighbours import Read
from domain.statement.statement import Fault, Statement
from ports.archive import StatementRecord
from ports.statements import StatementSummary


def in_words(fault: Fault) -> str:
    """The rule, where, and both figures: minor units or numbers."""
    figures = "" if fault.stated is None else f" (stated {fault.stated}, counted {fault.counted})"
    return f"{fault.rule.value}: {fault.where}{figures}"


def record_of(sha256: str, summary: StatementSummary, faults: tuple[str, ...]) -> StatementRecord:
    """What is kept of a statement in the file `sha256`; `faults` are in words."""
    head = summary.head
    first_on, last_on = head.period or (None, None)
    return StatementRecord(
        statement_id=head.id,
        account=head.account,
        currency=head.currency,
        sequence=head.sequence,
        booked_on=head.booked_on,
        opening_minor=head.opening_minor,
        closing_minor=head.closing_minor,
        lines=summary.lines,
        sha256=sha256,
        faults=faults,
        sum_minor=summary.sum_minor,
        later_minor=summary.later_minor,
        first_on=first_on,
        last_on=last_on,
        page=head.page,
        is_last_page=head.is_last_page,
    )


def read_of(record: StatementRecord) -> Read:
    """A record as the statement that was read, to be compared with another."""
    period = None
    if record.first_on is not None and record.last_on is not None:
        period = (record.first_on, record.last_on)
    head = Statement(
        id=record.statement_id,
        account=record.account,
        currency=record.currency,
        sequence=record.sequence,
        booked_on=record.booked_on,
        opening_minor=record.opening_minor,
        closing_minor=record.closing_minor,
        period=period,
        page=record.page,
        is_last_page=record.is_last_page,
    )
    return Read(head, record.lines, record.sum_minor, record.later_minor)
