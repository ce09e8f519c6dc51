"""The composition root: decides which adapter implements which port."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import httpx

from adapters.calendars import CALENDARS, load_calendar
from adapters.cases.policy import read_policy
from adapters.intake import BooksIntake
from adapters.notices.channels import ChannelNotices, TokenContacts
from adapters.notices.dispatcher import NoticeDispatcher
from adapters.notices.email import SmtpNotices
from adapters.notices.sms import SmsNotices
from adapters.notices.teams import TeamContacts, TeamDispatcher
from adapters.notices.wording import Wording
from adapters.payees import read_payees
from adapters.products.files import read_products
from adapters.rails.http import Watch, unwatched
from adapters.rails.kinds import KINDS
from adapters.sql.engine import books_engine
from adapters.sql.match.matching import SqlMatching
from adapters.sql.read.archive import SqlArchive
from adapters.sql.read.messages import SqlMessages
from adapters.sql.read.queries import SqlQueries
from adapters.sql.read.selfaudit import SqlSelfAudit
from adapters.sql.write.books import SqlBooks
from adapters.sql.write.outbox import OutboxRelay, Pace
from adapters.tapes.application.boarding import UpstreamBoarding
from adapters.tapes.files.mapping import CANONICAL_MAP
from adapters.tapes.loan.loans import BoardingRules
from domain.case.policy import USUAL_POLICY
from domain.errors import InvalidInput
from domain.loan.aggregate import Rulebook
from domain.payout.policy import NO_REMITTANCE
from workers.accounts import accounts_of
from workers.booksfile import must_have_books
from workers.bureaus import open_bureaus
from workers.clock import SandboxClock, WallClock
from workers.credentials import mail_server, sms_login
from workers.rails import USUAL_KIND, classes_of, merchants_of, rails_of
from workers.sources import open_sources
from workers.sourcesfile import sources_of
from workers.stackfile import StackRecord, read_stack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from adapters.products.translate import ProductFile
    from adapters.sql.write.observer import Observer
    from adapters.telemetry.metrics import Metrics
    from adapters.telemetry.tracing import Tracing
    from domain.ledger.bankaccount import BankAccount
    from ports.books import BooksWithDoors
    from ports.bureaus import Bureau
    from ports.clock import Clock
    from ports.outbox import Dispatcher
    from ports.payoutchannel import PayoutChannel
    from ports.rail import Rail
    from ports.statementsource import StatementSource
    from workers.rails import RailEntry
    from workers.settings import Settings
    from workers.sourcesfile import SourceEntry

SANDBOX_PACE = Pace(deliver_within=timedelta(seconds=3), lease=timedelta(seconds=15))
"""The outbox in a sandbox: short leases, since virtual time waits for a dead worker's messages."""
SENDER = {"lender": "Funder One", "contact": "service@funder-1.example"}
SANDBOX_MAIL = "borrowers.example"


@dataclass(slots=True)
class Stack:
    """Everything that commands and workers use except Temporal.

    `outbox` has no dispatchers until a worker gives it some (`deliver_by`): other processes only
    leave messages there. `writer` is what stands behind `books`, to ask whether it lives.
    `registry` is every rail of the installation, `rails` those that can be reached. `sources` are
    those of statements by account, `entries` what settings say of them.
    """

    settings: Settings
    record: StackRecord | None
    engine: AsyncEngine
    clock: Clock
    rules: Rulebook
    books: BooksWithDoors
    writer: SqlBooks
    queries: SqlQueries
    messages: SqlMessages
    auditor: SqlSelfAudit
    archive: SqlArchive
    matching: SqlMatching
    outbox: OutboxRelay
    registry: Mapping[str, RailEntry]
    rails: Mapping[str, Rail]
    channels: Mapping[str, PayoutChannel]
    bureaus: Mapping[str, Bureau]
    sources: Mapping[str, StatementSource]
    entries: Mapping[str, SourceEntry]
    products: Mapping[str, ProductFile]
    boarding: UpstreamBoarding
    intake: BooksIntake

    def deliver_by(self, dispatchers: Mapping[str, Dispatcher]) -> None:
        """Deliver the outbox in this process, by these dispatchers."""
        pace = SANDBOX_PACE if isinstance(self.clock, SandboxClock) else None
        self.outbox = OutboxRelay(self.engine, self.clock, dispatchers, self.books, pace=pace)


def rulebook(
    rails: Mapping[str, RailEntry],
    accounts: Mapping[str, BankAccount],
    case_policy: Path | None = None,
    payees: Path | None = None,
) -> Rulebook:
    """Calendars, rails, bank accounts, the policies of cases and of payees, and payout channels.

    A channel has the name of a rail, and what it can do and when is what that rail's bank can.

    Raises:
        SourceRefused: the file of a policy breaks rules.
    """
    channels = {
        name: entry.profile for name, entry in rails.items() if entry.of_kind.pays is not None
    }
    return Rulebook(
        {name: load_calendar(name) for name in CALENDARS},
        {name: entry.profile for name, entry in rails.items()},
        {name: entry.of_kind.limits for name, entry in rails.items()},
        {name: entry.of_kind.returns for name, entry in rails.items()},
        USUAL_POLICY if case_policy is None else read_policy(case_policy),
        accounts,
        channels,
        NO_REMITTANCE if payees is None else read_payees(payees, channels, CALENDARS),
    )


@asynccontextmanager
async def open_stack(
    settings: Settings, tracing: Tracing | None = None, metrics: Metrics | None = None
) -> AsyncIterator[Stack]:
    """Open the books and what stands around them; everything is closed in order at the end.

    Args:
        settings: of this process.
        tracing: makes spans of commands, statements and calls; None: none are made.
        metrics: count commands and commits; None: nothing is counted.
    """
    record = read_stack(settings.home)
    async with AsyncExitStack() as closing:
        clock = clock_of(settings, record)
        if isinstance(clock, SandboxClock):
            closing.callback(clock.close)
        registry = rails_of(settings, record)
        products = read_products(settings.products)
        accounts = accounts_of(settings, registry, products)
        entries = sources_of(settings.sources, accounts)
        rules = rulebook(registry, accounts, settings.case_policy, settings.payees)
        must_have_books(settings.books_url(record))
        engine = books_engine(settings.books_url(record))
        closing.push_async_callback(engine.dispose)
        # A worker puts another outbox into the stack later on: looked up at each kick.
        sql = SqlBooks(
            engine,
            clock,
            rules,
            zone=ledger_zone(settings, record),
            kick=lambda: stack.outbox.kick(),  # noqa: PLW0108
            observer=_observer(tracing, metrics),
        )
        closing.push_async_callback(sql.close)
        books = sql if tracing is None else _traced(sql, engine, tracing)
        stack = Stack(
            settings=settings,
            record=record,
            engine=engine,
            clock=clock,
            rules=rules,
            books=books,
            writer=sql,
            queries=SqlQueries(engine, clock, rules),
            messages=SqlMessages(engine),
            auditor=SqlSelfAudit(engine, clock, rules),
            archive=SqlArchive(engine, clock),
            matching=SqlMatching(engine, clock, rules),
            outbox=OutboxRelay(engine, clock, {}),
            registry=registry,
            rails=await open_rails(registry, clock, closing, tracing),
            channels=await open_channels(registry, clock, closing, tracing),
            bureaus=await open_bureaus(settings, registry, clock, closing),
            sources=await open_sources(
                registry, accounts, clock, closing, lambda entry: _watch(tracing, entry), entries
            ),
            entries=entries,
            products=products,
            boarding=UpstreamBoarding(
                BoardingRules(
                    CANONICAL_MAP,
                    products,
                    load_calendar,
                    merchants_of(registry),
                    class_of=classes_of(registry),
                )
            ),
            intake=BooksIntake(books),
        )
        yield stack


def _observer(tracing: Tracing | None, metrics: Metrics | None) -> Observer | None:
    """The observer of the books' writer; None where neither traces nor metrics are wanted."""
    if tracing is None and metrics is None:
        return None
    from adapters.telemetry.observer import BooksObserver  # noqa: PLC0415  (only where wanted)

    return BooksObserver(None if tracing is None else tracing.tracer, metrics)


def _traced(books: SqlBooks, engine: AsyncEngine, tracing: Tracing) -> BooksWithDoors:
    """The books with spans of commands, and of the statements that belong to them."""
    from adapters.telemetry.group import TracedDoors  # noqa: PLC0415  (only where wanted)
    from adapters.telemetry.sql import trace_sql  # noqa: PLC0415

    trace_sql(engine.sync_engine, tracing.tracer)
    return TracedDoors(books, tracing.tracer)


def clock_of(settings: Settings, record: StackRecord | None) -> Clock:
    """The sandbox's clock, to be closed by the caller, or the wall's."""
    sandbox = record is not None and record.mode == "sandbox"
    return SandboxClock(settings.home) if sandbox else WallClock()


def ledger_zone(settings: Settings, record: StackRecord | None) -> ZoneInfo:
    """The zone whose calendar day an entry is posted on."""
    sandbox = record is not None and record.mode == "sandbox"
    simulated = KINDS[USUAL_KIND].profile.timezone
    return ZoneInfo(settings.ledger_timezone or (simulated if sandbox else "UTC"))


async def open_rails(
    registry: Mapping[str, RailEntry],
    clock: Clock,
    closing: AsyncExitStack,
    tracing: Tracing | None = None,
) -> Mapping[str, Rail]:
    """The rails that can be reached, by name; closed with `closing`.

    Raises:
        InvalidInput: a secret cannot be a key.
    """
    opened = {}
    for name, entry in registry.items():
        if entry.login is None:
            continue
        kind, watch = entry.of_kind, _watch(tracing, entry)
        try:
            rail = await closing.enter_async_context(kind.open(entry.login, clock.now, watch))
        except InvalidInput as fault:
            raise InvalidInput(f"rails.{name}.{fault.field}", fault.value, fault.rule) from None
        opened[name] = rail
    return opened


async def open_channels(
    registry: Mapping[str, RailEntry],
    clock: Clock,
    closing: AsyncExitStack,
    tracing: Tracing | None = None,
) -> Mapping[str, PayoutChannel]:
    """The channels of payouts that can be reached, by the names of their rails."""
    opened = {}
    for name, entry in registry.items():
        pays = entry.of_kind.pays
        if entry.login is not None and pays is not None:
            channel = pays(entry.login, clock.now, _watch(tracing, entry))
            opened[name] = await closing.enter_async_context(channel)
    return opened


def _watch(tracing: Tracing | None, entry: RailEntry) -> Watch:
    """What makes spans of the calls to a rail; nothing where no traces are wanted."""
    if tracing is None:
        return unwatched
    from adapters.telemetry.http import traced_calls  # noqa: PLC0415  (only where wanted)

    return traced_calls(tracing.tracer, entry.name, entry.of_kind.words)


async def notice_dispatcher(stack: Stack, closing: AsyncExitStack) -> NoticeDispatcher:
    """The dispatcher for messages to people, as this installation sends them.

    Raises:
        InvalidInput: the secret of a carrier is missing.
    """
    settings, record = stack.settings, stack.record
    wording, contacts = Wording(), TokenContacts(SANDBOX_MAIL)
    login, sms = sms_login(settings, record), None
    if login is not None:
        client = await closing.enter_async_context(
            httpx.AsyncClient(timeout=settings.request_timeout_s, trust_env=False)
        )
        sms = SmsNotices(client, login.url, login.secret, contacts, wording)
    email = SmtpNotices(mail_server(settings, record), contacts, wording)
    notices = ChannelNotices(email, sms)
    return NoticeDispatcher(notices, stack.books, stack.queries, stack.clock, SENDER)


def team_dispatcher(stack: Stack) -> TeamDispatcher:
    """The dispatcher for messages about cases to the teams that have them.

    Raises:
        InvalidInput: the secret of the mail server is missing.
    """
    addresses = stack.rules.case_policy.addresses
    server = mail_server(stack.settings, stack.record)
    email = SmtpNotices(server, TeamContacts(addresses), Wording())
    return TeamDispatcher(email, addresses, SENDER)
