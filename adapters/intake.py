"""Proven reports of rails and notice providers, as commands to the books."""

from typing import assert_never

import structlog

from domain.kernel.command import Actor, Command
from domain.loan.commands import RecordDeliveryReport, RecordOutcome, RecordReturn
from domain.loan.unparsed import RecordUnparsedEvent
from ports.books import Books
from ports.rail import DeliveryReport, OutcomeReport, Report, ReturnReport, UnparsedEvent

_log = structlog.get_logger(__name__)


class BooksIntake:
    """Implements `ports.intake.WebhookIntake`: returns once the report is committed."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def take(self, rail: str, report: Report) -> None:
        """Book one report.

        The rail's own event id and the body make a repeated delivery the same command. Another
        reading of the same event, as after a change of a code table, is news with a case.
        """
        if isinstance(report, UnparsedEvent):
            _log.warning("report_of_unknown_type", rail=rail)
        await self._books.apply(_command(rail, report))


def _command(rail: str, report: Report) -> Command:
    actor = Actor("rail", rail)
    match report:
        case OutcomeReport():
            return RecordOutcome(
                id=f"report/{rail}/{report.event_id}",
                actor=actor,
                raw=report.raw,
                reason=report.outcome.code,
                rail=rail,
                order_no=report.order_no,
                outcome=report.outcome,
                source="webhook",
            )
        case ReturnReport():
            return RecordReturn(
                id=f"report/{rail}/{report.event_id}",
                actor=actor,
                raw=report.raw,
                reason=report.reason_code,
                rail=rail,
                order_no=report.order_no,
                bank_ref=report.bank_ref,
                amount_minor=report.amount_minor,
                outcome_class=report.reason_outcome_class,
                code=report.reason_code,
                returned_on=report.returned_on,
                currency=report.currency,
            )
        case DeliveryReport():
            return RecordDeliveryReport(
                id=f"report/{rail}/{report.event_id}",
                actor=actor,
                raw=report.raw,
                reason=report.reason or "",
                message_id=report.message_id,
                delivered=report.delivered,
                channel=report.channel,
            )
        case UnparsedEvent():
            return RecordUnparsedEvent(
                id=f"report/{rail}/{report.event_id}",
                actor=actor,
                raw=report.raw,
                reason="it could not be parsed",
                rail=rail,
                event_id=report.event_id,
                type=report.type,
            )
        case _:
            assert_never(report)
