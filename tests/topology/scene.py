"""A small main job in real time: loans that fall due today, at a bank that is open now.

Which day today is decides nothing (`test_any_day.py`); at night there is nothing to see.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.exc import SQLAlchemyError
from temporalio.client import Client
from temporalio.service import RPCError

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.rails.simbank.profile import SIMBANK
from adapters.tapes.application.boarding import application_of
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.files.rows import Row
from adapters.tapes.loan.loans import BoardingRules, loan_of
from adapters.temporal.client import connect
from adapters.temporal.codec import Keyring, converter
from adapters.temporal.starter import TemporalStarter
from domain.debit.presentment import taking_orders
from domain.loan.lifecycle import State
from domain.loan.view import installment
from sandbox.mandates import sign_mandates
from sandbox.topology import ROOT, Topology
from tests.support.doors import BoardLoan
from workers.compose import Stack
from workers.settings import Settings, temporal_config

SHANGHAI = ZoneInfo("Asia/Shanghai")
PAID = frozenset({State.CLEARING, State.SETTLED, State.RELEASED, State.CLOSED})
AT_NIGHT = "the rail takes no orders now (22:00 to 07:00 in Shanghai) and this runs in real time"


def bank_is_open() -> bool:
    """Whether a debit of today can still be presented and answered."""
    window = taking_orders(SIMBANK)
    begins, ends = datetime.now(SHANGHAI), datetime.now(SHANGHAI) + timedelta(minutes=15)
    return (
        begins.date() == ends.date() and window.opens <= begins.time() < ends.time() < window.closes
    )


def product_files(folder: Path) -> Path:
    """One product whose debits go out at once on the day on which an installment falls due."""
    folder.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "examples" / "products" / "cn-personal.toml").read_text(encoding="utf-8")
    early = f"present_at = {SIMBANK.opens.isoformat()}"
    text = text.replace('id = "cn-personal"', 'id = "today"').replace(
        "present_at = 09:30:00", early
    )
    text = text.replace('calendar = "CN"', 'calendar = "NONE"')
    (folder / "today.toml").write_text(text, encoding="utf-8")
    return folder


def loans(
    products: Path, count: int, months: int = 2, today: date | None = None
) -> list[BoardLoan]:
    """Loans whose first installment falls due today in Shanghai."""
    today = today or datetime.now(SHANGHAI).date()
    rules = BoardingRules(CANONICAL_MAP, read_products(products), load_calendar)
    made = []
    for number in range(1, count + 1):
        values = {
            "tenant": "main",
            "loan_id": f"T-{number:04d}",
            "borrower": f"b-{number}",
            "product": "today",
            "principal": str(1000 + number),
            "annual_rate": "12",
            "periods": str(months),
            "disbursed_on": (today - timedelta(days=30)).isoformat(),
            "first_due_on": today.isoformat(),
            "mandate_ref": f"M-{number:04d}",
            "account_token": f"acct-{number}",
        }
        made.append(loan_of(Row(number, values, values), number - 1, rules).command)
    return made


def settings_of(topology: Topology) -> Settings:
    """Settings of a program that acts like one of the installation's own."""
    env: Mapping[str, str] = topology.environment()
    given: dict[str, str] = {}
    for name, value in env.items():
        if name.startswith("ACQUIT_"):
            field = name.removeprefix("ACQUIT_").removesuffix("_FILE").lower()
            given[field] = Path(value).read_text() if name.endswith("_FILE") else value
    return Settings.model_validate(given)


class Upstream:
    """Boards loans one after the other and sees what became of them."""

    def __init__(self, stack: Stack, client: Client, waiting: list[BoardLoan]) -> None:
        self._stack, self._starter = stack, TemporalStarter(client)
        self._waiting = list(waiting)
        self.boarded: list[BoardLoan] = []

    @classmethod
    async def of(cls, topology: Topology, stack: Stack, waiting: list[BoardLoan]) -> "Upstream":
        """Connect as the installation's own programs do: same namespace, same keys."""
        keys = stack.settings.payload_keys
        assert keys is not None
        client = await connect(
            temporal_config(None, topology.environment()),
            data_converter=converter(Keyring.parse(keys.get_secret_value())),
        )
        await sign_mandates(stack.rails, waiting)
        return cls(stack, client, waiting)

    async def board(self) -> BoardLoan:
        """Start the boarding of the next loan and do not wait for it; a server may be away."""
        loan = self._waiting.pop()
        async with asyncio.timeout(120):
            while True:
                with suppress(RPCError, RuntimeError):
                    await self._starter.board(application_of(loan))
                    break
                await asyncio.sleep(0.5)
        self.boarded.append(loan)
        return loan

    async def unpaid(self) -> list[str]:
        """Loans whose first installment is not debited yet; all while the books are away."""
        found = []
        for loan in self.boarded:
            view = None
            with suppress(SQLAlchemyError, OSError):
                view = await self._stack.queries.view(installment(loan.loan_id, 1))
            if view is None or view.state not in PAID:
                found.append(f"{loan.loan_id}: {view.state if view else 'unknown'}")
        return found

    async def until_paid(self, seconds: float) -> None:
        """Wait until every first installment is debited."""
        began, left = datetime.now(UTC), await self.unpaid()
        while left:
            assert (datetime.now(UTC) - began).total_seconds() < seconds, left
            await asyncio.sleep(0.5)
            left = await self.unpaid()
