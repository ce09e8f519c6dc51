"""`/v1/statements`: bring files of statements, and see what became of them."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from api.doors import After, Bound, Calling, Limit, Ports
from api.money import MoneyOut, money
from api.problems import ALWAYS, Problem, documented
from domain.access.person import EVERYWHERE
from domain.access.rights import Right
from domain.errors import InvalidInput
from ports.archive import StatementRecord

router = APIRouter(prefix="/v1/statements", tags=["statements"])
_FILE = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class FileOut(BaseModel):
    """A file by the SHA-256 of its content: `kept` until it was read to its end, then `read`."""

    sha256: str
    state: str


class StatementOut(BaseModel):
    """A statement that was read; `faults` says what does not add up in it."""

    account: str
    statement_id: str
    sequence: int | None
    booked_on: date | None
    lines: int
    opening: MoneyOut | None
    closing: MoneyOut | None
    sha256: str
    faults: list[str]


class StatementPage(BaseModel):
    """A page of statements."""

    items: list[StatementOut]
    next: str | None


@router.post(
    "/files",
    status_code=202,
    summary="Bring a statement file",
    openapi_extra=_FILE,
    responses=documented(*ALWAYS, "request.too_large"),
)
async def bring(request: Request, caller: Calling, doors: Ports, response: Response) -> FileOut:
    """Keep a file as the bank sent it, and have it read. The same file again is the same file.

    Its name is the hash of its content, so it needs no key.
    """
    await doors.check_all(caller, Right.BRING_STATEMENTS, "statement file")

    async def parts() -> AsyncIterator[bytes]:
        found = False
        async for part in request.stream():
            found = found or bool(part)
            yield part
        if not found:
            raise Problem("request.invalid", field="body", rule="a file that is not empty")

    try:
        sha256 = await doors.archive.keep("statement", parts())
    except InvalidInput as fault:
        raise Problem("request.invalid", field="body", rule=fault.rule) from None
    if doors.starter is not None:
        await doors.starter.start_statement(doors.tenant, sha256)
    response.headers["Location"] = f"/v1/statements/files/{sha256}"
    known = await doors.archive.kept([sha256])
    return FileOut(sha256=sha256, state="read" if known[sha256] else "kept")


@router.get(
    "/files/{sha256}",
    summary="See what became of a statement file",
    responses=documented(*ALWAYS, "resource.unknown"),
)
async def get_file(
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")], caller: Calling, doors: Ports
) -> FileOut:
    """Whether a file is kept, and whether it was read."""
    await doors.check_all(caller, Right.READ_STATEMENTS, f"statement file {sha256}")
    known = await doors.archive.kept([sha256])
    if sha256 not in known:
        raise Problem("resource.unknown")
    return FileOut(sha256=sha256, state="read" if known[sha256] else "kept")


@router.get("", summary="List statements", responses=documented(*ALWAYS, "request.cursor"))
async def list_statements(
    caller: Calling,
    doors: Ports,
    account: Annotated[str, Query(max_length=60, pattern=r"^[A-Za-z0-9._-]*$")] = "",
    after: After = "",
    limit: Limit = 50,
) -> StatementPage:
    """Statements that were read, by account, id and period."""
    await doors.check_all(caller, Right.READ_STATEMENTS, "statements")
    bound = Bound("statements", (account,), frozenset({EVERYWHERE}))
    start = bound.take(after)
    known = sorted(await doors.archive.statements(account or None), key=_key)
    left = [one for one in known if _key(one) > start] if start else known
    shown = left[:limit]
    more = _key(shown[-1]) if len(left) > limit else ""
    return StatementPage(items=[_out(one) for one in shown], next=bound.give(more))


def _key(record: StatementRecord) -> str:
    return f"{record.account}\x1f{record.statement_id}\x1f{record.period}"


def _out(one: StatementRecord) -> StatementOut:
    def amount(minor: int | None) -> MoneyOut | None:
        return None if minor is None else money(minor, one.currency)

    return StatementOut(
        account=one.account,
        statement_id=one.statement_id,
        sequence=one.sequence,
        booked_on=one.booked_on,
        lines=one.lines,
        opening=amount(one.opening_minor),
        closing=amount(one.closing_minor),
        sha256=one.sha256,
        faults=list(one.faults),
    )
