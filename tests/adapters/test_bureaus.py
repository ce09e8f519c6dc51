"""The bureau over HTTP against the simulated one: taken once, recorded, rejected, lost, forged."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest
import pytest_asyncio

from adapters.bureaus.http import UNSAYABLE, HttpBureau
from adapters.rails.http import RailHttp
from adapters.rails.simbank.calls import SimbankCalls
from domain.loanclosure.commands import LegNews, LegStatus
from ports.bureaus import BureauReport, ReportKind
from tests.adapters.rails.bank import API_SECRET, MERCHANT, SimulatedBank, running_bank
from tests.adapters.rails.test_simbank_faults import LIMITS, Script, answering, cut, silent


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def bank(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SimulatedBank]:
    """A calm simulator, whose bureau is asked."""
    async with running_bank(tmp_path_factory.mktemp("bureau")) as bank:
        yield bank


@pytest_asyncio.fixture(loop_scope="session")
async def bureau(bank: SimulatedBank) -> AsyncIterator[HttpBureau]:
    """Give the bureau of the running simulator."""
    async with RailHttp(at_bureau(bank)) as http:
        yield over(http, bank)


def at_bureau(bank: SimulatedBank) -> str:
    """The bureau's base address, beside the bank's."""
    return str(bank.control.base_url).rstrip("/") + "/bureau"


@asynccontextmanager
async def script_server(script: Script) -> AsyncIterator[str]:
    """The address of a server that plays a script on every connection."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await script(reader, writer)
        writer.close()

    server = await asyncio.start_server(play, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def over(http: RailHttp, bank: SimulatedBank, secret: str = API_SECRET) -> HttpBureau:
    """A bureau over a connection."""
    return HttpBureau(SimbankCalls(http, {MERCHANT: secret}, bank.now), MERCHANT)


async def later(bank: SimulatedBank, hours: int) -> None:
    """Move the simulator's clock ahead."""
    await bank.advance(bank.offset + timedelta(hours=hours))


def report(reference: str, loan: str = "L1", kind: ReportKind = ReportKind.SETTLED) -> BureauReport:
    """A report about a loan of 100.00."""
    return BureauReport(
        reference, kind, loan, "b-1", "CNY", 10_000, 0, date(2026, 1, 1), date(2026, 3, 1)
    )


@pytest.mark.parametrize("kind", ReportKind)
async def test_a_report_is_received_and_then_recorded_with_a_receipt(
    bank: SimulatedBank, bureau: HttpBureau, kind: ReportKind
) -> None:
    """Whatever it tells; the same report again is the same one, another one of its name is not."""
    sent = report(f"R1{kind.name}", kind=kind)
    assert await bureau.inquire(sent.reference) is None
    assert await bureau.report(sent) == LegNews(LegStatus.ACKNOWLEDGED)
    assert await bureau.report(sent) == LegNews(LegStatus.ACKNOWLEDGED)
    other = await bureau.report(replace(sent, owed_minor=5))
    assert (other.status, other.code, other.may_retry) == (LegStatus.REJECTED, "B12", False)
    await later(bank, hours=1)
    said = await bureau.inquire(sent.reference)
    assert said is not None
    assert said.status is LegStatus.DONE
    assert said.proof.startswith("receipt BR")
    assert await bureau.report(sent) == said


async def test_a_report_that_is_lost_is_not_known_and_is_taken_when_sent_again(
    bank: SimulatedBank, bureau: HttpBureau
) -> None:
    """It was acknowledged; only asking shows that it is gone."""
    sent = report("R2", "bureau-loses-1")
    assert (await bureau.report(sent)).status is LegStatus.ACKNOWLEDGED
    assert await bureau.inquire("R2") is None
    assert (await bureau.report(sent)).status is LegStatus.ACKNOWLEDGED
    await later(bank, hours=1)
    said = await bureau.inquire("R2")
    assert said is not None
    assert said.status is LegStatus.DONE


async def test_a_rejection_says_why_and_a_late_report_stays_received(
    bank: SimulatedBank, bureau: HttpBureau
) -> None:
    """No such account: nobody asks again by himself. A slow one takes a day."""
    await bureau.report(report("R3", "bureau-rejects-1"))
    await bureau.report(report("R4", "bureau-delays-1"))
    await later(bank, hours=1)
    said = await bureau.inquire("R3")
    assert said == LegNews(LegStatus.REJECTED, "B07")
    late = await bureau.inquire("R4")
    assert late == LegNews(LegStatus.ACKNOWLEDGED)
    await later(bank, hours=24)
    done = await bureau.inquire("R4")
    assert done is not None
    assert done.status is LegStatus.DONE


async def test_what_the_format_refuses_is_rejected_by_our_own_code(bureau: HttpBureau) -> None:
    """A person looks: the same report would be refused again."""
    said = await bureau.report(report("not a reference"))
    assert said == LegNews(LegStatus.REJECTED, UNSAYABLE)


async def test_a_wrong_secret_changes_nothing(bank: SimulatedBank, bureau: HttpBureau) -> None:
    """Nothing was taken, and it may be sent again."""
    async with RailHttp(at_bureau(bank)) as http:
        stranger = over(http, bank, "another-secret")
        assert (await stranger.report(report("R5"))).status is LegStatus.UNKNOWN
        assert (await stranger.inquire("R5")) == LegNews(LegStatus.UNKNOWN, "http_401")
    assert await bureau.inquire("R5") is None


@pytest.mark.parametrize(
    "script",
    [
        cut,
        silent,
        answering(200, b'{"reference":"OTHER","status":"RECORDED","receipt":"BR1"}'),
        answering(200, b'{"reference":"R6","status":"GREAT"}'),
        answering(200, b"\xff"),
        answering(500, b""),
    ],
)
async def test_an_answer_of_no_use_says_nothing(bank: SimulatedBank, script: Script) -> None:
    """Neither a report nor a question is believed to have been answered."""
    async with script_server(script) as url, RailHttp(url, limits=LIMITS) as http:
        bureau = over(http, bank)
        assert (await bureau.report(report("R6"))).status is LegStatus.UNKNOWN
        said = await bureau.inquire("R6")
        assert said is not None
        assert said.status is LegStatus.UNKNOWN


async def test_recorded_without_a_receipt_is_not_done(bank: SimulatedBank) -> None:
    """What nothing proves is acknowledged at most."""
    body = b'{"reference":"R7","status":"RECORDED","receipt":null}'
    async with script_server(answering(200, body)) as url, RailHttp(url, limits=LIMITS) as http:
        assert await over(http, bank).inquire("R7") == LegNews(LegStatus.ACKNOWLEDGED)
