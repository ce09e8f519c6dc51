"""`acquit doctor` on books, Temporal and rails that lack something: each fault is provoked."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from google.protobuf.duration_pb2 import Duration
from sqlalchemy import make_url, text
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.healing import HealOrder
from adapters.products.files import read_products
from adapters.sql.engine import books_engine
from adapters.sql.read.queries import SqlQueries
from adapters.sql.schema.migrate import grant, upgrade
from adapters.sql.write.books import SqlBooks
from adapters.telemetry.redaction import Redactor
from adapters.temporal.client import connect
from adapters.temporal.reach import Namespace
from adapters.temporal.schedules import ensure_schedules, schedule_ids
from sandbox.devserver import DevServer
from tests.adapters.rails.bank import API_SECRET, MERCHANT, running_bank
from tests.support.booksbench import StillClock, intend, present
from tests.support.memory import RULES
from tests.support.railsfile import rails_file
from workers.accounts import accounts_of
from workers.clock import WallClock
from workers.doctor.books import check_books, skew
from workers.doctor.findings import CheckResult, Examiner, Finding
from workers.doctor.rails import check_rails
from workers.doctor.temporal import check_temporal
from workers.processes import free_port
from workers.production import sweep_orders
from workers.rails import rails_of, read_rails
from workers.settings import Settings
from workflows.names import SEARCH_ATTRIBUTES

SECRET = "canary-of-a-password"
EXAMINER = Examiner(10, Redactor([SECRET]))
PRODUCTS = dict(read_products(Settings().products))
ACCOUNTS = accounts_of(Settings(), rails_of(Settings(), None), PRODUCTS)
Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[int]:
    """Something that listens on a port and does as the test has it."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and say nothing."""
    await reader.read()
    writer.close()


def by_check(found: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in found}


# --- books ----------------------------------------------------------------------------------------


async def books(url: str, examiner: Examiner = EXAMINER) -> dict[str, Finding]:
    return by_check(
        await check_books(Settings.model_validate({"database_url": url}), None, examiner)
    )


async def execute(url: str, *statements: str) -> None:
    engine = books_engine(url)
    async with engine.begin() as conn:
        for statement in statements:
            await conn.execute(text(statement))
    await engine.dispose()


async def test_database_that_is_away_is_reported_without_its_password() -> None:
    """The address is shown, the rest of the books is not asked after."""
    url = f"postgresql+asyncpg://app:{SECRET}@127.0.0.1:{free_port()}/acquit"
    found = await books(url)
    assert found["database"].result is CheckResult.FAIL
    assert "ConnectionRefused" in found["database"].detail
    assert found["migrations"].result is CheckResult.SKIP
    assert SECRET not in str(found)


async def test_database_that_says_nothing_is_abandoned() -> None:
    """A connection that hangs, as behind a firewall, ends with the time limit."""
    async with listening(silent) as port:
        url = f"postgresql+asyncpg://app:{SECRET}@127.0.0.1:{port}/acquit"
        found = await books(url, Examiner(0.5, Redactor()))
    assert found["database"].detail == "no answer within 0.5 s"


async def test_address_that_is_none_is_a_finding() -> None:
    """What SQLAlchemy cannot read is reported like all else."""
    found = await books("mysql://there")
    assert found["database"].result is CheckResult.FAIL
    assert found["clock database"].result is CheckResult.SKIP


async def test_revision_older_than_the_build_fails_and_a_newer_one_warns(sqlite_url: str) -> None:
    """Older: the build cannot work. Newer: a release is rolling in, and this build still works."""
    await upgrade(sqlite_url, "0001")
    found = await books(sqlite_url)
    assert found["migrations"].result is CheckResult.FAIL
    assert "acquit db upgrade" in found["migrations"].advice
    assert found["database role"].result is CheckResult.SKIP
    await upgrade(sqlite_url)
    assert {it.result for it in (await books(sqlite_url)).values()} == {CheckResult.OK}
    await execute(sqlite_url, "UPDATE alembic_version SET version_num = '9999'")
    assert (await books(sqlite_url))["migrations"].result is CheckResult.WARN


async def test_role_that_may_rewrite_the_journal_fails(postgres_url: str) -> None:
    """As owner: fails. As the restricted role: passes. Without its rights: says which it lacks."""
    await upgrade(postgres_url)
    owned = (await books(postgres_url))["database role"]
    assert owned.result is CheckResult.FAIL
    assert "UPDATE entries" in owned.detail
    assert "--grant-to" in owned.advice
    role = f"app_{uuid.uuid4().hex[:8]}"
    await execute(postgres_url, f"CREATE ROLE {role} LOGIN")
    await grant(postgres_url, role)
    restricted = make_url(postgres_url).set(username=role).render_as_string(hide_password=False)
    found = await books(restricted)
    assert {it.result for it in found.values()} == {CheckResult.OK}, found
    await execute(postgres_url, f"REVOKE INSERT ON outbox FROM {role}")
    lacking = (await books(restricted))["database role"]
    assert (lacking.result, lacking.detail) == (CheckResult.FAIL, f"{role} may not INSERT outbox")
    await execute(postgres_url, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_missing_guard_of_the_journal_fails(
    database: str, sqlite_url: str, postgres_url: str
) -> None:
    """Whoever drops the trigger of an append-only table is found out."""
    url = sqlite_url if database == "sqlite" else postgres_url
    await upgrade(url)
    assert (await books(url))["journal guards"].result is CheckResult.OK
    dropped = "entries_no_delete" if database == "sqlite" else "entries_append_only ON entries"
    await execute(url, f"DROP TRIGGER {dropped}")
    found = (await books(url))["journal guards"]
    assert (found.result, found.detail) == (
        CheckResult.FAIL,
        "no trigger refuses changes of entries",
    )


async def test_rail_that_was_renamed_with_debits_on_the_books_fails(sqlite_url: str) -> None:
    """Nothing can be decided about a debit whose rail nobody knows: it is named before."""
    await upgrade(sqlite_url)
    engine, clock = books_engine(sqlite_url), StillClock()
    async with SqlBooks(engine, clock, RULES) as writer:
        action = await present(writer, SqlQueries(engine, clock, RULES), clock, "L1")
        await intend(writer, "L1", 1, action)
    await engine.dispose()
    given = Settings.model_validate({"database_url": sqlite_url})
    kept = by_check(await check_books(given, None, EXAMINER, ["a", "simbank"]))
    assert kept["debits"].result is CheckResult.OK
    renamed = by_check(await check_books(given, None, EXAMINER, ["a", "bank"]))
    assert renamed["debits"].result is CheckResult.FAIL
    assert "debits over simbank" in renamed["debits"].detail


@pytest.mark.parametrize(
    ("seconds", "result"),
    [
        (0, CheckResult.OK),
        (5, CheckResult.OK),
        (-6, CheckResult.WARN),
        (61, CheckResult.FAIL),
        (-61, CheckResult.FAIL),
    ],
)
def test_clocks_that_differ_are_judged(seconds: int, result: CheckResult) -> None:
    """Either way: logs mislead beyond five seconds, signatures fail beyond a minute."""
    found = skew("clock database", timedelta(seconds=seconds))
    assert found.result is result
    assert ("behind" in found.detail) == (seconds < 0)


# --- Temporal -------------------------------------------------------------------------------------


@pytest.fixture
def production(temporal_server: DevServer, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Variables of an installation on the shared server; tests name a namespace of their own."""
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal_server.address)
    monkeypatch.setenv("TEMPORAL_NAMESPACE", temporal_server.namespace)
    return monkeypatch


async def temporal(
    build_id: str | None = None, examiner: Examiner = EXAMINER
) -> dict[str, Finding]:
    given = Settings.model_validate({"build_id": build_id})
    return by_check(await check_temporal(given, None, PRODUCTS, ["second"], examiner))


async def test_server_that_says_nothing_is_abandoned(production: pytest.MonkeyPatch) -> None:
    """Everything else about Temporal is left out, with the reason."""
    async with listening(silent) as port:
        production.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{port}")
        found = await temporal(examiner=Examiner(0.5, Redactor()))
    assert found["temporal"].result is CheckResult.FAIL
    assert found["task queues"] == Finding(
        "task queues", CheckResult.SKIP, "Temporal cannot be reached"
    )


async def test_namespace_that_is_missing_is_named(production: pytest.MonkeyPatch) -> None:
    """Reachable, but nobody has set it up."""
    production.setenv("TEMPORAL_NAMESPACE", "nowhere")
    found = await temporal()
    assert found["temporal"].result is CheckResult.OK
    assert found["namespace"].detail == "there is no namespace 'nowhere'"
    assert found["schedules"].result is CheckResult.SKIP


async def test_server_that_does_not_know_us_sends_to_the_credentials(
    production: pytest.MonkeyPatch,
) -> None:
    """A refusal is no missing namespace: the key or the certificate is looked at."""

    async def refused(_client: Client) -> Namespace:
        raise RPCError("no", RPCStatusCode.UNAUTHENTICATED, b"")

    production.setattr("workers.doctor.temporal.namespace_of", refused)
    found = (await temporal())["namespace"]
    assert (found.result, found.detail) == (CheckResult.FAIL, "refused: unauthenticated")
    assert "TEMPORAL_API_KEY" in found.advice


@pytest.fixture
async def bare(temporal_client: Client, production: pytest.MonkeyPatch) -> Client:
    """A namespace of this test's own that holds nothing and forgets after a day."""
    name = f"bare-{uuid.uuid4().hex[:8]}"
    request = RegisterNamespaceRequest(
        namespace=name, workflow_execution_retention_period=Duration(seconds=86_400)
    )
    await temporal_client.workflow_service.register_namespace(request)
    production.setenv("TEMPORAL_NAMESPACE", name)
    client = await connect(
        {"target_host": temporal_client.service_client.config.target_host, "namespace": name}
    )
    async with asyncio.timeout(40):  # a fresh namespace is unknown to some requests for a while
        while True:
            try:
                await client.count_workflows()
            except RPCError:
                await asyncio.sleep(0.3)
            else:
                return client


async def test_namespace_that_holds_nothing_lacks_all_that_it_needs(bare: Client) -> None:
    """Retention, search attributes, pollers, schedules, current build: each with what to do."""
    found = await temporal(build_id="2026.11.1")
    assert found["namespace"].result is CheckResult.WARN
    assert "kept for 1 days" in found["namespace"].detail
    assert found["search attributes"].detail.count("no ") == len(SEARCH_ATTRIBUTES)
    queues = {name: it for name, it in found.items() if name.startswith("queue ")}
    assert len(queues) == 5
    assert {it.result for it in queues.values()} == {CheckResult.FAIL}
    for rail in ("simbank", "second"):
        queue = queues[f"queue debit.{rail} (activity)"]
        assert f"acquit worker debit.{rail}" in queue.advice
    assert found["schedules"].result is CheckResult.FAIL
    assert found["build"].result is CheckResult.FAIL
    assert "acquit release current 2026.11.1" in found["build"].advice
    # Schedules as a workflow worker makes them; one that somebody paused is reported.
    orders = sweep_orders("main", PRODUCTS, ACCOUNTS)
    await ensure_schedules(bare, "main", orders, HealOrder())
    assert (await temporal())["schedules"].result is CheckResult.OK
    first = schedule_ids("main", orders)[0]
    await bare.get_schedule_handle(first).pause()
    found = await temporal()
    assert (found["schedules"].result, found["schedules"].detail) == (
        CheckResult.WARN,
        f"{first} is paused",
    )


# --- rails ----------------------------------------------------------------------------------------


async def rails(
    folder: Path, url: str, *names: str, examiner: Examiner = EXAMINER
) -> dict[str, Finding]:
    registry = read_rails(rails_file(folder, url, names or ("simbank",), SECRET))
    found = await check_rails(registry, PRODUCTS, ACCOUNTS, WallClock(), examiner)
    return by_check([it for it in found if it.result is not CheckResult.WARN])


async def test_rail_that_is_not_configured_or_not_there_fails(tmp_path: Path) -> None:
    """Distinguished: different people correct them; a silent one ends by the time limit."""
    unknown = await check_rails(
        rails_of(Settings(), None), PRODUCTS, ACCOUNTS, WallClock(), EXAMINER
    )
    other = await rails(tmp_path, "http://127.0.0.1:9", "other")
    for found in (by_check(unknown), other):
        assert "not configured" in found["rail simbank"].detail
        assert "ACQUIT_RAILS" in found["rail simbank"].advice
    known = rails_of(Settings(), None)
    simulated = await check_rails(known, PRODUCTS, ACCOUNTS, WallClock(), EXAMINER, sandbox=True)
    assert "acquit up --rail simbank" in by_check(simulated)["rail simbank"].advice
    gone = await rails(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert "connect" in gone["rail simbank"].detail
    assert {it.result for it in gone.values()} == {CheckResult.FAIL}
    async with listening(silent) as port:
        mute = await rails(tmp_path, f"http://127.0.0.1:{port}", examiner=Examiner(0.5, Redactor()))
    assert mute["rail simbank"].detail == "no answer within 0.5 s"
    assert SECRET not in str([gone, mute])


async def test_each_rail_is_examined_by_itself(tmp_path: Path) -> None:
    """One that does not answer, or has another secret, says nothing about the others.

    A rail that no product names is asked too; so is a rail whose bank alone can be reached.
    """
    names = ("simbank", "gone", "stranger")
    tables = [
        f"[rails.{name}]\nmerchant_id = '{MERCHANT}'\napi_secret = '{API_SECRET}'\n"
        for name in names
    ]
    async with running_bank(tmp_path, rails="".join(tables)) as bank:
        url = str(bank.control.base_url).rstrip("/")
        path = rails_file(tmp_path, url, names, API_SECRET)
        text = path.read_text(encoding="utf-8").replace('"ACQUIT"', f'"{MERCHANT}"')
        text = text.replace(f"{url}/rails/gone", "http://127.0.0.1:9/x")
        path.write_text(text.replace(f"{url}/rails/stranger", f"{url}/rails/strange"))
        registry = read_rails(path)
        found = by_check(
            await check_rails(registry, PRODUCTS, ACCOUNTS, bank, EXAMINER, sandbox=True)
        )
    assert found["rail simbank"].result is CheckResult.OK
    assert found["rail gone"].detail.endswith("no answer: connect")
    assert "http_401" in found["rail stranger"].detail


async def test_rail_that_no_product_names_is_asked_too(tmp_path: Path) -> None:
    """It may be the one that the next product names; there is no account to ask after yet."""
    async with running_bank(tmp_path) as bank:
        url = str(bank.control.base_url).rstrip("/")
        path = rails_file(tmp_path, url, secret=API_SECRET)
        text = path.read_text(encoding="utf-8").replace('"ACQUIT"', f'"{MERCHANT}"')
        path.write_text(text, encoding="utf-8")
        found = by_check(await check_rails(read_rails(path), {}, {}, bank, EXAMINER, sandbox=True))
    assert found["rail simbank"].detail == "takes our signature; no account is registered for it"


async def test_rail_that_moves_no_money_is_warned_of_outside_a_sandbox(tmp_path: Path) -> None:
    """Debits of an installation would go to a simulated bank."""
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:9"))
    for sandbox in (False, True):
        found = await check_rails(
            registry, PRODUCTS, ACCOUNTS, WallClock(), EXAMINER, sandbox=sandbox
        )
        warned = [it.check for it in found if it.result is CheckResult.WARN]
        assert warned == ([] if sandbox else ["rail simbank"])


async def test_secret_that_is_no_key_is_told_by_its_rail(tmp_path: Path) -> None:
    """Before anything is asked of the rail; the secret is not shown."""
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:9", secret="whsec_!!"))
    found = by_check(
        await check_rails(registry, PRODUCTS, ACCOUNTS, WallClock(), EXAMINER, sandbox=True)
    )
    assert found["rail simbank"].detail.startswith("rails.simbank.webhook_secret: ")
    assert "whsec_!!" not in str(found)


async def test_rail_whose_clock_is_off_is_reported(tmp_path: Path) -> None:
    """Its answers carry its time: an hour off, our signatures would be stale to it."""

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        then = format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)
        head = f"HTTP/1.1 404 Not Found\r\nDate: {then}\r\nContent-Length: 0\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    async with listening(late) as port:
        found = await rails(tmp_path, f"http://127.0.0.1:{port}")
    assert found["clock rail simbank"].result is CheckResult.FAIL
    assert "behind" in found["clock rail simbank"].detail
