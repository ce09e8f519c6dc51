"""`acquit statements upload` and `collect`: hand a file in, and look at the sources now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import HomeOption, JsonOption, books_settings, print_json, print_text, run_async
from domain.errors import InvalidInput, Unavailable
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from typing import BinaryIO

    from activities.statements import BookedFile
    from activities.statementwatch import Watched
    from workers.runner import Services
    from workers.settings import Settings

UPLOAD_EXAMPLE = "Example: acquit statements upload day.xml --account ACCT-FUNDER-1-CNY"
COLLECT_EXAMPLE = "Example: acquit statements collect --json"
MOST_S = 3600
_PART_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of a file: `state` is booked, refused or waiting.

    Attributes:
        known: the same content was kept before, by whatever way it came.
        why: field, value and rule of a file that is refused.
    """

    sha256: str
    known: bool
    state: str = "waiting"
    statements: int = 0
    lines: int = 0
    known_before: int = 0
    faults: tuple[str, ...] = ()
    why: str = ""


def upload(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A statement file, as the bank gave it.")],
    *,
    account: Annotated[str, typer.Option(help="The registered account that it is of.")],
    within: Annotated[
        int, typer.Option(min=0, max=MOST_S, help="Wait so many seconds until it is booked.")
    ] = 300,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Hand a statement file in: keep it, have it read and booked, and say what became of it.

    The same content again changes nothing, whatever it is called and however it came first. A file
    with statements of another account is kept, and not read. Needs workers that run; exit code 1
    for a file that is refused, has faults, or is not booked in time.
    """
    handed = run_async(_upload(books_settings(ctx, home), file, account, within))
    if as_json:
        print_json(_as_dict(handed))
    else:
        _print(handed)
    if handed.state != "booked" or handed.faults:
        raise typer.Exit(Exit.NOT_CLEAN)


def collect(
    ctx: typer.Context,
    *,
    within: Annotated[
        int, typer.Option(min=1, max=MOST_S, help="Wait so many seconds for the end.")
    ] = 600,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Look at the folders and servers of statements now, and at what is overdue.

    Production does this every five minutes. A file is taken once it has stood still for as long as
    its source says, so one that has just come may need a second look. Needs workers that run.
    Exit code 1 if something could not be done.
    """
    done = run_async(_collect(books_settings(ctx, home), within))
    if as_json:
        print_json(
            {
                "offered": done.offered,
                "started": done.started,
                "cases": done.cases,
                "faults": list(done.faults),
            }
        )
    else:
        print_text(
            f"{done.offered} files on offer, {done.started} started to be read; "
            f"{done.cases} cases opened or ended"
        )
        for fault in done.faults:
            note(fault)
    if done.faults:
        raise typer.Exit(Exit.NOT_CLEAN)


async def _collect(settings: Settings, within_s: int) -> Watched:
    import asyncio  # noqa: PLC0415
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from temporalio.service import RPCError  # noqa: PLC0415

    from workers.runner import open_services  # noqa: PLC0415

    async with AsyncExitStack() as closing:
        try:
            services = await open_services(settings, closing)
            async with asyncio.timeout(within_s):
                return await services.starter.watch(settings.tenant)
        except RPCError as error:
            raise Unavailable(f"Temporal does not answer: {error}") from error
        except TimeoutError:
            text = f"the look did not end within {within_s} s: do workers run?"
            raise Unavailable(text) from None


async def _upload(settings: Settings, path: Path, account: str, within_s: int) -> Handed:
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from temporalio.service import RPCError  # noqa: PLC0415

    from adapters.inputfile import open_bytes  # noqa: PLC0415
    from ports.archive import FILE_BYTES_MOST  # noqa: PLC0415
    from workers.runner import open_services  # noqa: PLC0415

    with open_bytes(path, FILE_BYTES_MOST) as source:
        async with AsyncExitStack() as closing:
            services = await open_services(settings, closing)
            if account not in services.stack.rules.accounts:
                rule = "a registered account; `acquit accounts` lists them"
                raise InvalidInput("account", account, rule)
            try:
                return await _handed(services, settings.tenant, source, account, within_s)
            except RPCError as error:
                raise Unavailable(f"Temporal does not answer: {error}") from error


async def _handed(
    services: Services, tenant: str, source: BinaryIO, account: str, within_s: int
) -> Handed:
    """Keep the file before it is looked at, then have it read, unless it was read before."""
    archive = services.stack.archive
    sha256 = await _hash_of(source)
    known = await archive.kept([sha256])
    source.seek(0)
    await archive.keep("statement", _parts(source), account)
    handed = Handed(sha256, sha256 in known)
    source.seek(0)
    if strangers := _accounts(services.stack.settings, source) - {account}:
        await archive.refused(sha256)
        rule = f"the account of the file, which has {', '.join(sorted(strangers)[:5])}"
        raise InvalidInput("account", account, rule)
    if known.get(sha256, False):
        return await _read_before(services, account, handed)
    await services.starter.start_statement(tenant, sha256, account)
    return await _waited(services, tenant, handed, within_s)


async def _waited(services: Services, tenant: str, handed: Handed, within_s: int) -> Handed:
    import asyncio  # noqa: PLC0415

    from temporalio.client import WorkflowFailureError  # noqa: PLC0415

    try:
        async with asyncio.timeout(within_s):
            return _booked(handed, await services.starter.booked(tenant, handed.sha256))
    except TimeoutError:
        return replace(handed, why=f"not booked within {within_s} s: do workers run?")
    except WorkflowFailureError as failure:
        cause: BaseException = failure
        while cause.__cause__ is not None:
            cause = cause.__cause__
        return replace(handed, state="refused", why=str(cause))


async def _read_before(services: Services, account: str, handed: Handed) -> Handed:
    """What the books know of a file that was read to its end."""
    records = await services.stack.archive.statements(account)
    of_file = [it for it in records if it.sha256 == handed.sha256]
    lines = sum(it.lines for it in of_file)
    return replace(handed, state="booked", statements=len(of_file), lines=lines, known_before=lines)


def _booked(handed: Handed, booked: BookedFile) -> Handed:
    return replace(
        handed,
        state="booked",
        statements=booked.statements,
        lines=booked.lines,
        known_before=booked.known_before,
        faults=booked.faults,
    )


async def _hash_of(source: BinaryIO) -> str:
    import hashlib  # noqa: PLC0415

    found = hashlib.sha256()
    async for part in _parts(source):
        found.update(part)
    return found.hexdigest()


async def _parts(source: BinaryIO) -> AsyncIterator[bytes]:
    import asyncio  # noqa: PLC0415

    while part := await asyncio.to_thread(source.read, _PART_BYTES):
        yield part


def _accounts(settings: Settings, source: BinaryIO) -> set[str]:
    """The accounts that the file has statements of; none where it cannot be read.

    What is wrong with it is said by the workflow that reads it, which leaves a case.
    """
    from adapters.statements.anyfile import file_reader  # noqa: PLC0415
    from ports.statements import StatementRefused  # noqa: PLC0415

    try:
        survey = file_reader(settings.statement_maps).survey(source)
    except StatementRefused:
        return set()
    return {item.head.account for item in survey.statements}


def _as_dict(handed: Handed) -> dict[str, Any]:
    return {
        "sha256": handed.sha256,
        "known": handed.known,
        "state": handed.state,
        "statements": handed.statements,
        "lines": handed.lines,
        "known_before": handed.known_before,
        "faults": list(handed.faults),
        "why": handed.why,
    }


def _print(handed: Handed) -> None:
    before = " (kept before)" if handed.known else ""
    print_text(f"{handed.sha256}{before}: {handed.state}")
    if handed.state == "booked":
        print_text(
            f"{handed.statements} statements, {handed.lines} lines, "
            f"{handed.known_before} of them known before"
        )
    if handed.why:
        note(handed.why)
    for fault in handed.faults:
        note(fault)
