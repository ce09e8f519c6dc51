"""`acquit ledger prove` and `check-proof`: proofs for outsiders, and what an outsider does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.checkpoints import OutOption, judging, write_out
from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_text,
    run_async,
)
from domain.errors import InvalidInput
from domain.ledger.chain import LEDGER, KnownHead
from domain.ledger.checkpoint import origin_of
from domain.ledger.proofs import NotProven
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adapters.proofs.prooffile import GrowthFile, ItemsFile
    from domain.ledger.checkpoint import Checkpoint, PublicKey
    from ports.checkpoints import Checkpoints
    from workers.compose import Stack
    from workers.settings import Settings

AGAINST_MOST = 100
PublicKeyOption = Annotated[
    Path | None,
    typer.Option("--public-key", help="File with the public keys of the ledger, lines or PEM."),
]


@dataclass(frozen=True, slots=True)
class Known:
    """A checkpoint from outside, and the id of the key that signed it; empty: not verified."""

    known: KnownHead
    origin: str
    signed_by: str


def register(group: typer.Typer) -> None:
    """Add the commands of this module to the group `ledger`."""
    group.command("prove", epilog="Example: acquit ledger prove --payment P-7 --out P-7.proof")(
        prove
    )
    example = (
        "Example: acquit ledger check-proof P-7.proof --checkpoint today.checkpoint"
        " --public-key acquit.pub"
    )
    group.command("check-proof", epilog=example)(check_proof)


def prove(
    ctx: typer.Context,
    *,
    item: Annotated[
        list[int] | None,
        typer.Option(help="Number of an item of the journal; may be given several times."),
    ] = None,
    payment: Annotated[
        str | None, typer.Option(help="A payment, debit order or bank line: all its entries.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option(help="An older checkpoint: prove that the ledger only grew.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="The checkpoint that proves it; the last one that was made unless given."
        ),
    ] = None,
    out: OutOption = None,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write a proof for somebody who has a checkpoint: of items, or that the ledger only grew.

    The file holds the items in question and hashes, and nothing else of the books. It is JSON;
    --json says about the file of --out what it holds. Exit code 1 if the journal is not what the
    checkpoint covers: then there is no proof.
    """
    asked = [item or None, payment, against]
    if len([one for one in asked if one is not None]) != 1:
        raise InvalidInput("prove", "", "one of --item, --payment and --against")
    from adapters.proofs.prooffile import read_checkpoint_file  # noqa: PLC0415

    later = None if checkpoint is None else read_checkpoint_file(checkpoint)
    settings = books_settings(ctx, home)
    with judging():
        if against is not None:
            earlier = read_checkpoint_file(against)
            made: ItemsFile | GrowthFile = run_async(_growth(settings, earlier, later))
        else:
            made = run_async(_items(settings, item or [], payment, later))
    write_out(made.text(), out, replace=False)
    if as_json and out is not None:
        print_json({"file": str(out)} | made.facts())


def check_proof(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The proof.")],
    *,
    checkpoint: Annotated[Path, typer.Option(help="A checkpoint that you keep, or trust.")],
    public_key: Annotated[
        Path, typer.Option("--public-key", help="The public keys of the ledger, lines or PEM.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Verify a proof and show what it proves; exit code 1 if it proves nothing.

    No database and no server is asked: a proof, a checkpoint and the public keys are all that is
    needed. What is shown is read from the bytes that were hashed.
    """
    from adapters.proofs.prooffile import (  # noqa: PLC0415  (pydantic is slow to load)
        GrowthFile,
        read_checkpoint_file,
        read_proof,
    )
    from adapters.signing.ed25519 import must_be_signed, read_keys  # noqa: PLC0415

    found, keys, trusted = read_proof(path), read_keys(public_key), read_checkpoint_file(checkpoint)
    try:
        if isinstance(found, GrowthFile):
            for one in (trusted, found.earlier, found.later):
                must_be_signed(one, keys)
            found.prove(trusted)
            facts = found.facts()
        else:
            must_be_signed(trusted, keys)
            items = found.proven(trusted)
            # Of the checkpoint that is signed: nobody has signed the time of the one in the proof.
            facts = replace(found, checkpoint=trusted).facts() | {"items": items}
    except NotProven as error:
        if as_json:
            print_json({"proven": False, "why": str(error)})
        note(str(error))
        raise typer.Exit(Exit.NOT_CLEAN) from None
    if as_json:
        print_json({"proven": True} | facts)
    else:
        for line in _lines(facts):
            print_text(line)


def known_heads(paths: Sequence[Path], public_key: Path | None) -> list[Known]:
    """Checkpoints in files, to compare the books with.

    Raises:
        SourceRefused: a file is none.
        InvalidInput: there are too many, or one is not signed by any of the public keys.
    """
    if not paths and public_key is None:
        return []
    from adapters.proofs.prooffile import read_checkpoint_file  # noqa: PLC0415
    from adapters.signing.ed25519 import read_keys  # noqa: PLC0415

    if not 1 <= len(paths) <= AGAINST_MOST:
        raise InvalidInput("against", f"{len(paths)} files", f"1 to {AGAINST_MOST}")
    keys = None if public_key is None else read_keys(public_key)
    return [_known(path, read_checkpoint_file(path), keys) for path in paths]


def _known(path: Path, found: Checkpoint, keys: Sequence[PublicKey] | None) -> Known:
    head, signed_by = found.head, ""
    if keys is not None:
        from adapters.signing.ed25519 import must_be_signed  # noqa: PLC0415

        signed_by = must_be_signed(found, keys).key_id(head.origin).hex()
    source = f"checkpoint {head.size} of {path.name}"
    return Known(KnownHead(head.size, head.root, head.head, source), head.origin, signed_by)


def must_be_of(known: Sequence[Known], books_id: str) -> None:
    """See that checkpoints are of these books.

    Raises:
        InvalidInput: one is of others.
    """
    own = origin_of(books_id, LEDGER)
    for one in known:
        if one.origin != own:
            raise InvalidInput("checkpoint origin", one.origin, f"{own}, these books")


async def _items(
    settings: Settings, numbers: list[int], payment: str | None, head: Checkpoint | None
) -> ItemsFile:
    from adapters.proofs.prooffile import ItemsFile  # noqa: PLC0415
    from adapters.sql.read.proving import SqlProofs  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        under = await _last(stack, settings, head)
        if payment is not None:
            numbers = await _numbers_of(stack, payment)
        made = await SqlProofs(stack.engine).of_items(numbers, under.head)
        return ItemsFile(under, made)


async def _growth(settings: Settings, earlier: Checkpoint, later: Checkpoint | None) -> GrowthFile:
    from adapters.proofs.prooffile import GrowthFile  # noqa: PLC0415
    from adapters.sql.read.proving import SqlProofs  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        under = await _last(stack, settings, later)
        if earlier.head.origin != under.head.origin:
            rule = f"{under.head.origin}, these books"
            raise InvalidInput("checkpoint origin", earlier.head.origin, rule)
        proof = await SqlProofs(stack.engine).of_growth(earlier.head, under.head)
        return GrowthFile(earlier, under, proof)


async def _last(stack: Stack, settings: Settings, given: Checkpoint | None) -> Checkpoint:
    """The checkpoint under which something is proven."""
    if given is not None:
        return given
    from workers.sealing import checkpoints_of  # noqa: PLC0415

    kept: Checkpoints = checkpoints_of(settings, stack.engine, stack.clock)
    last = await kept.last()
    if last is None:
        rule = "one that was made: run `acquit ledger checkpoint` first"
        raise InvalidInput("checkpoint", "none", rule)
    return last.checkpoint


async def _numbers_of(stack: Stack, payment: str) -> list[int]:
    """Numbers of the entries about a payment, a debit order or a bank line."""
    from ports.paging import walk  # noqa: PLC0415

    found: set[int] = set()
    async for posting in walk(lambda after: stack.queries.trail(payment, after)):
        found.add(posting.seq)
    if not found:
        raise InvalidInput("payment", payment, "a payment, debit order or bank line in the books")
    return sorted(found)


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    """What was proven, for people."""
    if facts["kind"] == "growth":
        earlier, later = facts["earlier"], facts["later"]
        yield f"ledger {later['origin']}"
        yield f"the {earlier['size']} items of {earlier['at']:%Y-%m-%d %H:%M}, unchanged,"
        yield f"are the first of the {later['size']} items of {later['at']:%Y-%m-%d %H:%M}"
    else:
        head = facts["checkpoint"]
        yield f"ledger {head['origin']}"
        yield f"checkpoint of {head['size']} items, made {head['at']:%Y-%m-%d %H:%M}"
        for item in facts["items"]:
            yield ""
            yield from _said(item, "")
    yield "proven"


def _said(value: object, name: str) -> Iterator[str]:
    """A value of an item, one line for each field."""
    match value:
        case dict():
            for key, part in value.items():
                yield from _said(part, f"{name}.{key}" if name else key)
        case tuple():
            for place, part in enumerate(value, start=1):
                yield f"{name} {place}: {_on_a_line(part)}"
        case None | "":
            return
        case _:
            yield f"{name}: {value}"


def _on_a_line(value: object) -> str:
    """A part of a list, such as a posting, without what it does not say."""
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(f"{key} {part}" for key, part in value.items() if part not in (None, ""))
