"""A rail for tests that answers from a script and writes down what it was asked."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

from domain.debit.attempt import DebitOrder
from domain.debit.mandate import Mandate
from domain.debit.outcome import Outcome, OutcomeClass
from domain.debit.rail import RailProfile
from ports.rail import Recalled, Report

OK = Outcome(OutcomeClass.SUCCESS, "00", executed_minor=10_000, bank_ref="bank-1")
NSF = Outcome(OutcomeClass.NSF, "51")
PENDING = Outcome(OutcomeClass.PENDING, "PDNG")
NOT_FOUND = Outcome(OutcomeClass.NOT_FOUND, "404")


def profile(name: str, *, idempotent: bool = False) -> RailProfile:
    """A rail that is open day and night."""
    whole_day = time(0), time(23, 59)
    return RailProfile(
        name=name,
        timezone="UTC",
        calendar="none",
        opens=whole_day[0],
        closes=whole_day[1],
        cut_off=whole_day[1],
        every_day=True,
        idempotent=idempotent,
    )


@dataclass
class FakeRail:
    """Answers each call from its script, the last line of which repeats.

    A line that is an exception is raised. `stop_after_send` is awaited after an order was taken
    and before it is answered: a place to crash in.
    """

    profile: RailProfile
    presents: list[Outcome | Exception] = field(default_factory=lambda: [OK])
    inquiries: list[Outcome | Exception] = field(default_factory=lambda: [OK])
    posted: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    inquired: list[str] = field(default_factory=list)
    sent: asyncio.Event = field(default_factory=asyncio.Event)
    stop_after_send: asyncio.Event | None = None

    async def present(self, order: DebitOrder) -> Outcome:
        line = self.presents.pop(0) if len(self.presents) > 1 else self.presents[0]
        if isinstance(line, Exception):
            raise line
        self.posted.append(order.order_no)
        self.sent.set()
        if self.stop_after_send is not None:
            await self.stop_after_send.wait()
        return line

    async def inquire(self, order_no: str, merchant_id: str) -> Outcome:
        assert merchant_id
        self.inquired.append(order_no)
        line = self.inquiries.pop(0) if len(self.inquiries) > 1 else self.inquiries[0]
        if isinstance(line, Exception):
            raise line
        return line

    async def cancel(self, order_no: str, merchant_id: str) -> Recalled | Outcome:
        return Recalled(order_no)

    async def put_mandate(self, mandate: Mandate, currency: str) -> None:
        return

    async def end_mandate(self, ref: str) -> None:
        self.ended.append(ref)

    def reports(self, headers: Mapping[str, str], body: bytes, now: datetime) -> tuple[Report, ...]:
        return ()
