"""A bureau over HTTP with signed requests, as the simulated one speaks: reports by reference."""

from datetime import date
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field

from adapters.rails.http import Unanswered
from adapters.rails.simbank.calls import OK, SimbankCalls, parsed
from domain.loanclosure.commands import LegNews, LegStatus
from ports.bureaus import BureauReport
from ports.rail import RailUnavailable

_NOT_FOUND, _BAD_REQUEST = 404, 400
UNSAYABLE = "UNSAYABLE"
"""Our own code for a report that the bureau's format refuses: it is not made again by itself."""
PASSES = frozenset({"B01"})
"""Codes of rejections whose reason passes: the same report may be made again."""
_STATUS = {
    "RECEIVED": LegStatus.ACKNOWLEDGED,
    "RECORDED": LegStatus.DONE,
    "REJECTED": LegStatus.REJECTED,
}
_Code = Annotated[str, Field(max_length=40, pattern=r"^[A-Za-z0-9._-]*$")]


class ReportAnswer(BaseModel):
    """What the bureau says of one report."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    reference: str
    status: str
    code: _Code = ""
    receipt: Annotated[str, Field(max_length=80, pattern=r"^[A-Za-z0-9._-]*$")] | None = None


class _Report(BaseModel):
    model_config = ConfigDict(frozen=True)

    reference: str
    kind: str
    loan_id: str
    borrower: str
    currency: str
    principal_minor: int
    owed_minor: int
    disbursed_on: str
    as_of: str


class HttpBureau:
    """Implements `ports.bureaus.Bureau`.

    Args:
        calls: to the bureau. client_id: as whom we sign.
    """

    def __init__(self, calls: SimbankCalls, client_id: str) -> None:
        self._calls, self._client_id = calls, client_id

    async def report(self, report: BureauReport) -> LegNews:
        """Send one report; see the port."""
        body = _Report(
            reference=report.reference,
            kind=report.kind.value,
            loan_id=report.loan_id,
            borrower=report.borrower,
            currency=report.currency,
            principal_minor=report.principal_minor,
            owed_minor=report.owed_minor,
            disbursed_on=_day(report.disbursed_on),
            as_of=_day(report.as_of),
        )
        try:
            answer = await self._calls.send("POST", "/v1/reports", self._client_id, body)
        except (RailUnavailable, Unanswered) as fault:
            return LegNews(LegStatus.UNKNOWN, fault.why)
        if answer.status == _BAD_REQUEST:
            return LegNews(LegStatus.REJECTED, UNSAYABLE)
        read = parsed(answer, ReportAnswer) if answer.status == OK else None
        return _said(read, report.reference)

    async def inquire(self, reference: str) -> LegNews | None:
        """Ask what became of a report; see the port."""
        target = f"/v1/reports/{quote(reference, safe='')}"
        try:
            answer = await self._calls.ask("GET", target, self._client_id)
        except RailUnavailable as fault:
            return LegNews(LegStatus.UNKNOWN, fault.why)
        if answer.status == _NOT_FOUND:
            return None
        return _said(parsed(answer, ReportAnswer) if answer.status == OK else None, reference)


def _said(read: ReportAnswer | None, reference: str) -> LegNews:
    """What an answer means; one about another report, or that cannot be read, means nothing."""
    if read is None or read.reference != reference or read.status not in _STATUS:
        return LegNews(LegStatus.UNKNOWN, "unreadable")
    status = _STATUS[read.status]
    proof = f"receipt {read.receipt}" if read.receipt else ""
    if status is LegStatus.DONE and not proof:
        return LegNews(LegStatus.ACKNOWLEDGED)
    return LegNews(status, read.code, proof, read.code in PASSES)


def _day(day: date) -> str:
    return day.isoformat()
