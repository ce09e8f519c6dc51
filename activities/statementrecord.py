"""Turns a read statement into the record that is kept, and back; faults in words."""

from dataclasses import replace

from domain.money import amount_text
from domain.statement.controls import Known
from domain.statement.neighbours import Read
from domain.statement.statement import Fault, FaultRule, Statement
from domain.statement.versions import VERSIONS_MOST, Version
from ports.archive import StatementRecord
from ports.statements import StatementSummary

FOR_PEOPLE = frozenset({FaultRule.RESTATED, FaultRule.KNOWN_LINES})
"""Faults that only a comparison of files shows: what a statement says anew, or perhaps anew."""
OWN_MOST = 20
_OF_MONEY = frozenset(
    {
        FaultRule.BALANCE_DIFFERS,
        FaultRule.CHAIN_BROKEN,
        FaultRule.ITEMS_DIFFER,
        FaultRule.SUMMARY_SUM_DIFFERS,
    }
)
"""Rules whose figures are amounts."""


def in_words(fault: Fault, currency: str) -> str:
    """The rule, where, and both figures: amounts in the currency of the statement, or numbers.

    What a statement says otherwise than before may be either, so it is left in minor units.
    """

    def said(figure: int | None) -> str:
        is_amount = figure is not None and fault.rule in _OF_MONEY
        return amount_text(figure or 0, currency) if is_amount else str(figure)

    stated, counted = said(fault.stated), said(fault.counted)
    figures = "" if fault.stated is None else f" (stated {stated}, counted {counted})"
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
        own=_own(summary),
    )


def version_of(sha256: str, summary: StatementSummary) -> Version:
    """What the file `sha256` says of a statement."""
    head = summary.head
    return Version(
        sha256,
        head.opening_minor,
        head.closing_minor,
        summary.lines,
        summary.sum_minor,
        summary.later_minor,
        _own(summary),
        any(fault.rule is FaultRule.KNOWN_LINES for fault in summary.faults),
    )


def _own(summary: StatementSummary) -> tuple[Fault, ...]:
    own = [fault for fault in summary.faults if fault.rule not in FOR_PEOPLE]
    return tuple(own[:OWN_MOST])


def first_version(record: StatementRecord) -> Version:
    """What the file of a record said, before any other said otherwise."""
    return Version(
        record.sha256,
        record.opening_minor,
        record.closing_minor,
        record.lines,
        record.sum_minor,
        record.later_minor,
        record.own,
    )


def restated(record: StatementRecord, said: Version) -> StatementRecord:
    """The record with what another file says; the same record where it is known already.

    Beyond `VERSIONS_MOST` a version takes the place of the last.
    """
    versions = record.versions or (first_version(record),)
    if any(it.figures == said.figures for it in versions):
        return record
    kept = [it for it in versions if it.sha256 == record.sha256]
    others = [it for it in versions if it.sha256 != record.sha256]
    return replace(record, versions=(*kept, *others[: VERSIONS_MOST - 2], said))


def with_version(record: StatementRecord, version: Version) -> StatementRecord:
    """The record with the figures of one of its versions."""
    return replace(
        record,
        sha256=version.sha256,
        opening_minor=version.opening_minor,
        closing_minor=version.closing_minor,
        lines=version.lines,
        sum_minor=version.sum_minor,
        later_minor=version.later_minor,
        own=version.own,
    )


def restated_subject(record: StatementRecord, sha256: str) -> str:
    """How the case about a statement in another file names it."""
    return f"{record.account}/{record.statement_id}/{sha256[:16]}"


def known_of(record: StatementRecord) -> Known:
    """A record as the controls look at it."""
    return Known(read_of(record), record.own)


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
