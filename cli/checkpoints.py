"""`acquit ledger`: make, list and give out checkpoints, and the keys that they are signed with."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.options import AfterOption, ShownOption
from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from domain.errors import InvalidInput, InvariantBroken
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activities.sealing import Sealed
    from domain.ledger.checkpoint import PublicKey
    from ports.checkpoints import Checkpoints, KeptCheckpoint
    from ports.paging import Page
    from workers.settings import Settings

SHOWN = 100
SIZE_MOST = (1 << 63) - 1
"""Items of the largest checkpoint that can be asked for."""
OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="File; standard output unless given.")
]
ReplaceOption = Annotated[
    bool, typer.Option("--replace", help="Replace the output file if it is there.")
]


def register(group: typer.Typer) -> None:
    """Add the commands of this module to the group `ledger`."""
    group.command("checkpoint", epilog="Example: acquit ledger checkpoint --out today.checkpoint")(
        checkpoint
    )
    group.command("checkpoints", epilog="Example: acquit ledger checkpoints --json")(checkpoints)
    group.command("keys", epilog="Example: acquit ledger keys --out acquit.pub")(keys)
    group.command("new-key", epilog="Example: acquit ledger new-key signing.pem")(new_key)
    group.command("anchor", epilog="Example: acquit ledger anchor --json")(have_witnessed)
    group.command(
        "receipt",
        epilog="Example: acquit ledger receipt --size 120 --anchor tsa --out tsa.tsr",
    )(receipt)


@contextmanager
def judging() -> Iterator[None]:
    """Books that are not what they must be end a command with exit code 1, in words."""
    try:
        yield
    except InvariantBroken as error:
        note(str(error))
        raise typer.Exit(Exit.NOT_CLEAN) from None


def checkpoint(
    ctx: typer.Context,
    *,
    size: Annotated[
        int | None,
        typer.Option(min=1, max=SIZE_MOST, help="Give out the kept one of so many items."),
    ] = None,
    out: OutOption = None,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Sign what the ledger is now, and give it out for others to keep.

    Only what was written since the last checkpoint is read, and each item of it is recomputed;
    exit code 1 if one is not what was hashed: then nothing is signed. As long as nothing is
    written, the same checkpoint is given again, byte for byte. The key is in the file that
    ACQUIT_SIGNING_KEY names.
    """
    settings = books_settings(ctx, home)
    with judging():
        made = run_async(_checkpoint(settings, size))
    text = made.checkpoint.text()
    write_out(text, out, replace=replace, shown=not as_json)
    if as_json:
        print_json(facts(made))


def checkpoints(
    ctx: typer.Context,
    *,
    after: AfterOption = "",
    limit: ShownOption = SHOWN,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """List the checkpoints that were made, and who witnessed each of them."""
    page = run_async(_kept(books_settings(ctx, home), after, limit))
    if as_json:
        print_json([facts(one) for one in page.items])
    else:
        rows = [
            (
                one.checkpoint.head.size,
                one.checkpoint.head.at.isoformat(timespec="seconds"),
                one.checkpoint.head.root.hex(),
                ", ".join(f"{it.anchor} ({it.kind})" for it in one.receipts) or "-",
            )
            for one in page.items
        ]
        print_table("Checkpoints", ("items>", "made", "root", "witnesses"), rows)
    if page.after:
        note(f"only {len(page.items)} are shown; go on with --after {page.after}")


def keys(
    ctx: typer.Context,
    *,
    pem: Annotated[
        bool, typer.Option("--pem", help="Write the key of now in PEM instead of lines.")
    ] = False,
    out: OutOption = None,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write the public keys of the checkpoints, for those who verify them.

    One line for each key, as signed notes write keys. Behind a key that is used no more stands the
    largest checkpoint that it signed: it counts for no later one.
    """
    found = run_async(_keys(books_settings(ctx, home)))
    if as_json:
        print_json([{"key": key.text().split()[0], "upto": key.upto} for key in found])
        return
    if pem:
        from adapters.signing.ed25519 import public_pem  # noqa: PLC0415  (loads cryptography)

        text = public_pem(found[-1].content)
    else:
        text = "".join(f"{key.text()}\n" for key in found)
    write_out(text, out, replace=replace)


def new_key(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A name that is free.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a key to sign checkpoints with, in a new file that only you may read.

    Name the file in ACQUIT_SIGNING_KEY. To change keys, name another file: what the old key signed
    stays valid, and `acquit ledger keys` lists both.
    """
    from adapters.signing import ed25519  # noqa: PLC0415  (loads cryptography)

    public = ed25519.public_pem(ed25519.new_key(path).public)
    if as_json:
        print_json({"file": str(path), "public_key": public})
    else:
        print_text(f"{path} holds the private key; keep it secret. The public key:")
        typer.echo(public, nl=False)


def have_witnessed(
    ctx: typer.Context, *, as_json: JsonOption = False, home: HomeOption = None
) -> None:
    """Make a checkpoint and have it witnessed by each anchor; exit code 1 if one contradicts.

    The anchors are in the file that ACQUIT_ANCHORS names. Each is asked once; one that fails is
    named, the others go on, and the exit code is 69. What they give is kept in the books. The exit
    code is 1 too if the journal is not what was hashed.
    """
    settings = books_settings(ctx, home)
    if settings.anchors is None:
        rule = "a file with a table [anchors.<name>] for each witness"
        raise InvalidInput("ACQUIT_ANCHORS", "", rule)
    with judging():
        done = run_async(_anchor(settings))
    if as_json:
        print_json(
            {
                "size": done.size,
                "root": done.root,
                "witnessed": list(done.witnessed),
                "faults": list(done.faults),
                "contradicted": list(done.contradicted),
            }
        )
    else:
        print_text(f"checkpoint {done.size}, witnessed by {', '.join(done.witnessed) or 'nobody'}")
    for fault in done.faults:
        note(fault)
    if done.contradicted:
        raise typer.Exit(Exit.NOT_CLEAN)
    if done.faults:
        raise typer.Exit(Exit.UNAVAILABLE)


def receipt(
    ctx: typer.Context,
    *,
    size: Annotated[int, typer.Option(min=1, max=SIZE_MOST, help="Of the checkpoint, in items.")],
    anchor: Annotated[str, typer.Option(help="Name of the witness.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write what a witness gave for a checkpoint, as it came, for other programs to verify."""
    from cli.outfile import written_bytes  # noqa: PLC0415

    kept = run_async(_checkpoint(books_settings(ctx, home), size))
    found = [one for one in kept.receipts if one.anchor == anchor]
    if not found:
        known = ", ".join(one.anchor for one in kept.receipts) or "nobody"
        raise InvalidInput("anchor", anchor, f"one that witnessed checkpoint {size}: {known}")
    with written_bytes(out, replace=replace) as output:
        output.write(found[0].content)
    if as_json:
        print_json({"file": str(out), "bytes": len(found[0].content), "kind": found[0].kind})
    else:
        print_text(f"{len(found[0].content)} bytes of {anchor} ({found[0].kind}) in {out}")


def facts(kept: KeptCheckpoint) -> dict[str, Any]:
    """A checkpoint as commands print it."""
    head = kept.checkpoint.head
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
        "head": head.head,
        "at": head.at,
        "checkpoint": kept.checkpoint.text(),
        "public_key": kept.public_key,
        "receipts": [
            {
                "anchor": one.anchor,
                "kind": one.kind,
                "kept_at": one.kept_at,
                "witnessed_at": one.witnessed_at,
                "bytes": len(one.content),
            }
            for one in kept.receipts
        ],
    }


def write_out(text: str, out: Path | None, *, replace: bool, shown: bool = True) -> None:
    """Write a result to its file, or to standard output; `shown` False: to a file or nowhere."""
    if out is None:
        if shown:
            typer.echo(text, nl=False)
        return
    from cli.outfile import written  # noqa: PLC0415

    with written(out, replace=replace) as output:
        output.write(text)


async def _checkpoint(settings: Settings, size: int | None) -> KeptCheckpoint:
    """A new checkpoint, or the kept one of a size."""
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.sealing import checkpoints_of  # noqa: PLC0415

    async with open_stack(settings) as stack:
        sealing = checkpoints_of(settings, stack.engine, stack.clock)
        if size is None:
            return await _sealed(sealing)
        kept = await sealing.of(size)
        if kept is None:
            raise InvalidInput("size", size, "one of `acquit ledger checkpoints`")
        return kept


async def _anchor(settings: Settings) -> Sealed:
    from contextlib import AsyncExitStack  # noqa: PLC0415

    from activities.sealing import witnessed_by  # noqa: PLC0415
    from workers.anchors import open_anchors  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.sealing import checkpoints_of  # noqa: PLC0415

    async with open_stack(settings) as stack, AsyncExitStack() as closing:
        anchors = await open_anchors(settings, closing)
        sealing = checkpoints_of(settings, stack.engine, stack.clock)
        made = await _sealed(sealing)
        return await witnessed_by(sealing, anchors, stack.clock, made)


async def _sealed(sealing: Checkpoints) -> KeptCheckpoint:
    """A checkpoint of now.

    Raises:
        InvalidInput: the journal is empty.
    """
    made = await sealing.seal()
    if made is None:
        raise InvalidInput("books", "0 items", "something to sign: the journal is empty")
    return made


async def _kept(settings: Settings, after: str, limit: int) -> Page[KeptCheckpoint]:
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.sealing import checkpoints_of  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await checkpoints_of(settings, stack.engine, stack.clock).kept(after, limit)


async def _keys(settings: Settings) -> tuple[PublicKey, ...]:
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.sealing import checkpoints_of  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await checkpoints_of(settings, stack.engine, stack.clock).keys()
