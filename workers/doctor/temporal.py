"""Checks of Temporal: reachable, our namespace, search attributes, pollers, schedules, builds."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal.client import connect
from adapters.temporal.reach import namespace_of, paused, pollers, search_attributes
from adapters.temporal.releases import builds
from adapters.temporal.schedules import schedule_ids
from workers.doctor.findings import CheckResult, Finding, fail, ok, skip, warn
from workers.production import answering, build_of, is_sandbox, sweep_orders
from workers.settings import temporal_config
from workflows import names
from workflows.names import SEARCH_ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from temporalio.client import Client

    from adapters.products.translate import ProductFile
    from workers.doctor.findings import Examiner
    from workers.settings import Settings
    from workers.stackfile import StackRecord

KEPT_LEAST = timedelta(days=30)
"""Histories are asked for as long as payers may dispute; most rails say 30 days or more."""
_DENIED = frozenset({RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED})
_LOG_IN = "check TEMPORAL_API_KEY or the certificate of TEMPORAL_TLS_*, and what they may see"
_REACH = "start the server (`acquit up` runs one for a sandbox), or check TEMPORAL_ADDRESS"
_SET_UP = "run deploy/temporal-server/namespace.sh, which creates what is missing"


async def check_temporal(
    settings: Settings,
    record: StackRecord | None,
    products: dict[str, ProductFile],
    rails: Collection[str],
    examiner: Examiner,
) -> list[Finding]:
    """Everything about Temporal; when it cannot be reached, that alone."""
    clients: list[Client] = []

    async def reach() -> Sequence[Finding]:
        config = temporal_config(record)
        with answering(config):
            clients.append(await connect(config))
        return [ok("temporal", f"{config['target_host']} answers")]

    found = await examiner.run("temporal", _REACH, reach)
    if not clients:
        return [*found, *_skipped("Temporal cannot be reached")]
    client = clients[0]
    found += await examiner.run("namespace", _SET_UP, lambda: _namespace(client))
    if found[-1].result is CheckResult.FAIL:
        return [*found, *_skipped("there is no namespace")[1:]]
    queues = sorted({*rails, *(file.product.rail for file in products.values())})
    checks = [
        examiner.run("search attributes", _SET_UP, lambda: _attributes(client)),
        examiner.run("task queues", _REACH, lambda: _queues(client, queues)),
        examiner.run("build", _REACH, lambda: _build(client, build_of(settings, record))),
    ]
    if not is_sandbox(record):
        sweeps, seals = sweep_orders(settings.tenant, products, {}), settings.signing_key
        ids = schedule_ids(settings.tenant, sweeps, seals=seals is not None)
        checks.append(examiner.run("schedules", _REACH, lambda: _schedules(client, ids)))
    for part in await asyncio.gather(*checks):
        found += part
    return found


def _skipped(because: str) -> list[Finding]:
    names_ = ("namespace", "search attributes", "task queues", "build", "schedules")
    return [skip(name, because) for name in names_]


async def _namespace(client: Client) -> Sequence[Finding]:
    try:
        found = await namespace_of(client)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return [fail("namespace", f"there is no namespace {client.namespace!r}", _SET_UP)]
        if error.status in _DENIED:
            return [fail("namespace", f"refused: {error.status.name.lower()}", _LOG_IN)]
        raise
    days = found.retention / timedelta(days=1)
    detail = f"{found.name}, server {found.server}, closed histories kept for {days:g} days"
    if found.retention < KEPT_LEAST:
        advice = "raise the retention above the longest dispute window of your rails"
        return [warn("namespace", detail, advice)]
    return [ok("namespace", detail)]


async def _attributes(client: Client) -> Sequence[Finding]:
    try:
        there = await search_attributes(client)
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED or error.status in _DENIED:
            advice = f"see in its console that these exist: {', '.join(SEARCH_ATTRIBUTES)}"
            return [warn("search attributes", "this server does not list them to us", advice)]
        raise
    wrong = [
        f"{name} is {there[name]} and must be {kind}" if name in there else f"no {name} ({kind})"
        for name, kind in SEARCH_ATTRIBUTES.items()
        if there.get(name) != kind
    ]
    if wrong:
        return [fail("search attributes", "; ".join(wrong), _SET_UP)]
    return [ok("search attributes", f"all {len(SEARCH_ATTRIBUTES)} are there")]


async def _queues(client: Client, rails: Sequence[str]) -> Sequence[Finding]:
    """One finding for each queue that work can wait in."""
    asked = [
        (names.WORKFLOWS, "workflow", "workflows"),
        (names.WORKFLOWS, "activity", "workflows"),
        (names.BOOKS, "activity", "books"),
        *((names.debit_queue(rail), "activity", f"debit.{rail}") for rail in rails),
    ]
    counts = await asyncio.gather(*(pollers(client, queue, kind) for queue, kind, _ in asked))
    found = []
    for (queue, kind, role), count in zip(asked, counts, strict=True):
        check = f"queue {queue} ({kind})"
        if count:
            found.append(ok(check, f"polled by {count} lately"))
        else:
            advice = f"start `acquit worker {role}`; its log says why it ended"
            found.append(fail(check, "nobody polls: what is sent there waits", advice))
    return found


async def _schedules(client: Client, ids: Sequence[str]) -> Sequence[Finding]:
    states = await asyncio.gather(*(paused(client, it) for it in ids))
    found = []
    for name, state in zip(ids, states, strict=True):
        if state is None:
            advice = "start `acquit worker workflows`, or run `acquit heal`: both create it"
            found.append(fail("schedules", f"there is no {name}", advice))
        elif state:
            advice = f"once its cause is gone: temporal schedule toggle -s {name} --unpause"
            found.append(warn("schedules", f"{name} is paused", advice))
    return found or [ok("schedules", ", ".join(ids))]


async def _build(client: Client, build_id: str | None) -> Sequence[Finding]:
    if build_id is None:
        return [ok("build", "not pinned: any worker takes any task")]
    known = await builds(client)
    current = next((it.build_id for it in known if it.state == "current"), None)
    if current is None:
        advice = f"run `acquit release current {build_id}`: until then nothing is driven"
        return [fail("build", "no build is current", advice)]
    if current != build_id:
        advice = f"finish rolling out, or run `acquit release current {build_id}`"
        return [warn("build", f"{current} is current, here it is {build_id}", advice)]
    return [ok("build", f"{build_id} is current")]
