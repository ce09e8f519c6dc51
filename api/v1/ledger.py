"""`/v1/balances`, `/v1/checkpoints`, `/v1/proofs`: the ledger and what proves it."""

import base64
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from api.caller import Caller
from api.doors import After, Bound, Calling, Doors, Limit, Ports
from api.money import MoneyOut, money
from api.problems import ALWAYS, Problem, documented
from domain.access.person import EVERYWHERE
from domain.access.rights import Right
from ports.checkpoints import KeptCheckpoint

router = APIRouter(prefix="/v1", tags=["ledger"])
ITEMS_MOST = 100
_ALL = frozenset({EVERYWHERE})
_LIST = documented(*ALWAYS, "request.cursor")
_ONE = documented(*ALWAYS, "resource.unknown")
Size = Annotated[int, Path(ge=1, le=2**53, description="How many items it covers.")]


class BalanceOut(BaseModel):
    """The balance of one account in one currency: debit positive."""

    account: str
    balance: MoneyOut


class BalancePage(BaseModel):
    """A page of balances."""

    items: list[BalanceOut]
    next: str | None


class ReceiptOut(BaseModel):
    """That a witness has seen a checkpoint."""

    anchor: str
    kind: str
    kept_at: datetime
    witnessed_at: datetime | None


class CheckpointOut(BaseModel):
    """A signed checkpoint, as it was given out; `root` in base 64."""

    origin: str
    size: int
    root: str
    head: str
    at: datetime
    note: str
    public_key: str
    receipts: list[ReceiptOut]


class CheckpointPage(BaseModel):
    """A page of checkpoints."""

    items: list[CheckpointOut]
    next: str | None


class ItemProofOut(BaseModel):
    """That an item stands in the ledger of a checkpoint; bytes in base 64, as RFC 6962 hashes."""

    number: int
    content: str
    previous: str
    path: list[str]


class ProofsOut(BaseModel):
    """Proofs of items, with the checkpoint that they lead to."""

    checkpoint: CheckpointOut
    items: list[ItemProofOut]


@router.get("/balances", summary="List balances", responses=_LIST)
async def list_balances(
    caller: Calling,
    doors: Ports,
    prefix: Annotated[str, Query(max_length=240, pattern=r"^[A-Za-z0-9._:/-]*$")] = "",
    after: After = "",
    limit: Limit = 50,
) -> BalancePage:
    """Balances of the accounts whose name begins with `prefix`, zero ones as well."""
    await doors.check_all(caller, Right.READ_BOOKS, "balances")
    bound = Bound("balances", (prefix,), _ALL)
    page = await doors.ledger.balances(prefix, bound.take(after), limit)
    items = [
        BalanceOut(account=one.account, balance=money(one.minor, one.currency))
        for one in page.items
    ]
    return BalancePage(items=items, next=bound.give(page.after))


@router.get("/checkpoints", summary="List checkpoints", responses=_LIST)
async def list_checkpoints(
    caller: Calling, doors: Ports, after: After = "", limit: Limit = 50
) -> CheckpointPage:
    """Signed checkpoints with the receipts of their witnesses, the smallest first."""
    await doors.check_all(caller, Right.READ_BOOKS, "checkpoints")
    bound = Bound("checkpoints", (), _ALL)
    page = await doors.checkpoints.kept(bound.take(after), limit)
    return CheckpointPage(items=[_out(one) for one in page.items], next=bound.give(page.after))


@router.get("/checkpoints/{size}", summary="Get a checkpoint", responses=_ONE)
async def get_checkpoint(size: Size, caller: Calling, doors: Ports) -> CheckpointOut:
    """The checkpoint of so many items."""
    return _out(await _checkpoint(doors, caller, size))


@router.get("/checkpoints/{size}/proofs", summary="Prove items of the ledger", responses=_ONE)
async def get_proofs(
    size: Size,
    caller: Calling,
    doors: Ports,
    number: Annotated[list[Annotated[int, Query(ge=1, le=2**53)]], Query(max_length=ITEMS_MOST)],
) -> ProofsOut:
    """Proofs that items stand in the ledger of a checkpoint, each verified before it is given."""
    kept = await _checkpoint(doors, caller, size)
    if max(number) > size:
        raise Problem("request.invalid", field="number", rule=f"at most {size}, what it covers")
    proofs = await doors.proofs.of_items(number, kept.checkpoint.head)
    items = [
        ItemProofOut(
            number=one.number,
            content=_text(one.content),
            previous=one.previous,
            path=[_text(part) for part in one.path],
        )
        for one in proofs
    ]
    return ProofsOut(checkpoint=_out(kept), items=items)


async def _checkpoint(doors: Doors, caller: Caller, size: int) -> KeptCheckpoint:
    await doors.check_all(caller, Right.READ_BOOKS, f"checkpoint {size}")
    kept = await doors.checkpoints.of(size)
    if kept is None:
        raise Problem("resource.unknown")
    return kept


def _out(kept: KeptCheckpoint) -> CheckpointOut:
    head = kept.checkpoint.head
    return CheckpointOut(
        origin=head.origin,
        size=head.size,
        root=_text(head.root),
        head=head.head,
        at=head.at,
        note=kept.checkpoint.text(),
        public_key=kept.public_key,
        receipts=[
            ReceiptOut(
                anchor=one.anchor,
                kind=one.kind,
                kept_at=one.kept_at,
                witnessed_at=one.witnessed_at,
            )
            for one in kept.receipts
        ],
    )


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
