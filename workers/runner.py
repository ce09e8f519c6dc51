"""Runs one worker process until it is asked to stop: workflows, activities, outbox, webhooks."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from activities.boarding import BoardActivities
from activities.cases import CaseActivities
from activities.collecting import Collector
from activities.debits import DebitActivities
from activities.healing import HealActivities
from activities.installments import InstallmentActivities
from activities.matching import LineMatching
from activities.payouts import PayoutActivities
from activities.remittances import RemittanceActivities
from activities.statementcontrols import StatementControls
from activities.statements import StatementActivities
from activities.statementwatch import StatementWatch
from activities.subjects import SubjectActivities
from activities.sweeps import SweepActivities
from adapters.sql.read.figures import SqlFigures
from adapters.sql.schema.rights import books_id
from adapters.statements.anyfile import file_reader
from adapters.temporal.client import connect
from adapters.temporal.dispatchers import dispatchers
from adapters.temporal.drivers import TemporalDrivers
from adapters.temporal.stamp import ahead_by
from adapters.temporal.starter import TemporalStarter
from adapters.temporal.worker import Role, books_role, build_worker, debit_role, workflow_role
from api.webhooks import webhook_route
from domain.errors import InvalidInput
from workers.access import api_of
from workers.attending import attend, attend_worker
from workers.auditing import audit_activities
from workers.clock import SandboxClock
from workers.compose import Stack, notice_dispatcher, open_stack, team_dispatcher
from workers.health import Health, health_door
from workers.observing import Observed, observe
from workers.production import answering, build_of, data_converter, is_sandbox, keep_schedules
from workers.rails import rails_of
from workers.sealing import closure_activities, seal_activities
from workers.serving import serving, stop_requested
from workers.settings import read_stack, temporal_config
from workers.sources import watched_accounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from temporalio.client import Client

    from adapters.temporal.stamp import Stamp, StartStamp
    from ports.outbox import Dispatcher
    from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """A stack with its Temporal clients: `drivers` are started on the sandbox's clock, if any."""

    stack: Stack
    client: Client
    drivers: TemporalDrivers
    starter: TemporalStarter


async def open_services(
    settings: Settings, closing: AsyncExitStack, observed: Observed | None = None
) -> Services:
    """Open the stack and connect to Temporal; the outbox delivers by this process's dispatchers.

    Raises:
        Unavailable: Temporal does not answer.
    """
    seen = observed or Observed()
    stack = await closing.enter_async_context(open_stack(settings, seen.tracing, seen.metrics))
    config = temporal_config(stack.record)
    data = data_converter(settings, stack.record)
    tracer, runtime = seen.tracer, seen.runtime
    with answering(config):
        client = await connect(config, tracer=tracer, runtime=runtime, data_converter=data)
        # Only drivers live on the sandbox's clock: all else takes its time from the Clock port.
        stamped = client
        if (stamp := stamp_of(stack)) is not None:
            stamped = await connect(config, tracer=tracer, stamp=stamp, runtime=runtime)
    drivers = TemporalDrivers(stamped, stack.queries, stack.clock, partial(books_id, stack.engine))
    notices = await notice_dispatcher(stack, closing)
    people: dict[str, Dispatcher] = {"notice": notices, "case_notice": team_dispatcher(stack)}
    stack.deliver_by(seen.dispatchers({**dispatchers(drivers), **people}))
    return Services(stack, client, drivers, TemporalStarter(client))


def stamp_of(stack: Stack) -> StartStamp | None:
    """How starts are put on the sandbox's clock; None in production."""
    clock = stack.clock
    if not isinstance(clock, SandboxClock):
        return None

    def stamp(start_delay: timedelta | None) -> Stamp:
        return ahead_by(clock.offset, start_delay)

    return stamp


def activities_of(services: Services) -> dict[str, list[Callable[..., Any]]]:
    """Every activity by the kind of queue that serves it."""
    stack = services.stack
    books, queries, outbox = stack.books, stack.queries, stack.outbox
    drivers = books.for_drivers()
    subjects, items = SubjectActivities(queries, books, drivers), InstallmentActivities(drivers)
    sweeps = SweepActivities(
        books, queries, stack.sources, stack.archive, outbox, services.starter, stack.clock
    )
    reader = file_reader(stack.settings.statement_maps)
    statements = StatementActivities(
        stack.archive, reader, books, LineMatching(stack.matching, books)
    )
    rules = stack.rules.case_policy.thresholds
    watch = statement_watch(services)
    figures = SqlFigures(stack.engine)
    cases = CaseActivities(drivers, queries, stack.clock, figures, rules)
    debits = DebitActivities(drivers, queries, stack.rails, stack.clock)
    payouts = PayoutActivities(drivers, queries, stack.channels, stack.clock)
    closures = closure_activities(stack.settings, stack)
    remittance = RemittanceActivities(drivers, queries, stack.rules.payouts, stack.clock)
    return {
        "workflows": [
            subjects.look,
            subjects.order,
            subjects.ask,
            items.remind,
            items.review,
            cases.act,
            payouts.review,
            closures.tell,
            closures.review,
            payouts.escalate,
        ],
        "books": [
            BoardActivities(books, stack.boarding).board,
            sweeps.roll,
            sweeps.collect,
            sweeps.deliver,
            statements.survey,
            statements.book,
            watch.watch,
            cases.sweep,
            payouts.learn,
            closures.request,
            closures.ask,
            closures.issue,
            closures.seal,
            remittance.remit,
            HealActivities(queries, outbox, services.drivers, stack.clock).heal,
        ],
        "debit": [
            debits.present,
            debits.inquire,
            payouts.instruct,
            payouts.inquire,
            closures.end_mandate,
        ],
    }


def statement_watch(services: Services) -> StatementWatch:
    """What looks after statements: sources of folders and servers, controls of all accounts."""
    stack = services.stack
    return StatementWatch(
        Collector(stack.sources, stack.archive, stack.books, services.starter, stack.clock),
        StatementControls(stack.archive, stack.books),
        stack.archive,
        stack.clock,
        watched_accounts(stack.entries),
        tuple(stack.rules.accounts),
        {
            account: entry.expected
            for account, entry in stack.entries.items()
            if entry.expected is not None
        },
        LineMatching(stack.matching, stack.books),
    )


def roles_of(name: str, rails: Sequence[str]) -> list[tuple[Role, str]]:
    """The queues that a process of this role polls, each with the kind of its activities.

    Raises:
        InvalidInput: there is no such role, or no such rail.
    """
    debits = {f"debit.{rail}": (debit_role(rail), "debit") for rail in rails}
    named = {"workflows": (workflow_role(), "workflows"), "books": (books_role(), "books")}
    if name == "api":
        return []
    if name == "all":
        return [*named.values(), *debits.values()]
    try:
        return [{**named, **debits}[name]]
    except KeyError:
        known = ", ".join(["all", "api", *named, *debits])
        raise InvalidInput("role", name, f"one of {known}") from None


def tuned(role: Role, kind: str, settings: Settings) -> Role:
    """A role with the limits of this installation."""
    match kind:
        case "workflows":
            return replace(role, activities_at_once=settings.workflow_activities)
        case "books":
            return replace(role, activities_at_once=settings.books_activities)
        case _:
            at_once, rate = settings.debit_activities, settings.debit_per_second
            return replace(role, activities_at_once=at_once, per_second=rate)


async def run_worker(role: str, settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what was begun and leave nothing half-done.

    Raises:
        InvalidInput: there is no such role; reported before anything is asked for.
        SourceRefused: the rails are not configured as they must be; likewise.
        InvariantBroken: a part of this process died.
    """
    registry = rails_of(settings, read_stack(settings.home))
    roles_of(role, [name for name, entry in registry.items() if entry.login is not None])
    stop, health = stop_requested(), Health(role)
    async with working(role, settings, health=health):
        await health.watch(stop)


@contextlib.asynccontextmanager
async def working(
    role: str, settings: Settings, *, cache: int | None = None, health: Health | None = None
) -> AsyncIterator[Services]:
    """Work until the end of the block; `cache`: see `workflow_cache` of the settings."""
    health = health or Health(role)
    async with AsyncExitStack() as closing:
        observed = observe(settings, role, closing)
        await closing.enter_async_context(health_door(health, settings, observed.routes))
        services = await open_services(settings, closing, observed)
        attend(health, services, settings, closing)
        await closing.enter_async_context(observed.measuring(services.stack, role))
        activities = activities_of(services)
        if role in {"all", "books"}:
            sealing = await seal_activities(settings, services.stack, closing)
            activities["books"].append(sealing.seal)
            activities["books"].append(audit_activities(settings, services.stack).audit_day)
        for queue, kind in roles_of(role, tuple(services.stack.rails)):
            worker = build_worker(
                services.client,
                tuned(queue, kind, settings),
                activities[kind],
                build_id=build_of(settings, services.stack.record),
                max_cached_workflows=settings.workflow_cache if cache is None else cache,
                grace=timedelta(seconds=settings.drain_timeout_s),
            )
            await closing.enter_async_context(worker)
            attend_worker(health, worker)
        if role in {"all", "workflows"} and not is_sandbox(services.stack.record):
            stack = services.stack
            await keep_schedules(services.client, settings, stack.products, stack.rules.accounts)
        if role in {"all", "api"}:
            door = await closing.enter_async_context(_serve(services, settings, observed))
            health.part("door", lambda: not door.done())
        outbox = await closing.enter_async_context(_relay(services.stack))
        health.part("outbox", lambda: not outbox.done())
        yield services


@contextlib.asynccontextmanager
async def _relay(stack: Stack) -> AsyncIterator[asyncio.Task[None]]:
    """Deliver the outbox until the end of the block."""
    task = asyncio.create_task(stack.outbox.run(), name="outbox")
    try:
        yield task
    finally:
        stack.outbox.stop()
        await task


def _serve(
    services: Services, settings: Settings, observed: Observed
) -> AbstractAsyncContextManager[asyncio.Task[None]]:
    """Serve the API, and webhooks beside it, until the end of the block."""
    stack = services.stack
    webhooks = webhook_route(stack.rails, stack.intake, stack.clock.now, observed.count)
    app = api_of(stack, settings.tenant, services.starter, [webhooks])
    return serving(observed.door(app), settings.api_host, settings.api_port, "webhooks")
