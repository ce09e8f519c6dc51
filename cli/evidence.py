"""`acquit evidence`: signed bundles about loans, and what an outsider does with them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.checkpoints import ReplaceOption, judging
from cli.output import (
    Commands,
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_text,
    run_async,
)
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from adapters.proofs.bundlecheck import Verified
    from domain.audit.sample import Drawn
    from domain.ledger.checkpoint import Checkpoint
    from workers.evidence import Bundles
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(
        help="Evidence for outsiders: bundles about loans, exported and verified.",
        no_args_is_help=True,
        cls=Commands,
    )
    example = "Example: acquit evidence export LC00001001 --out LC00001001.evidence"
    group.command("export", epilog=example)(export)
    example = "Example: acquit evidence verify LC00001001.evidence --key acquit.pub"
    group.command("verify", epilog=example)(verify)
    example = "Example: acquit evidence sample --size 25 --seed 2026-03 --risk --out march"
    group.command("sample", epilog=example)(sample)
    app.add_typer(group, name="evidence")


def export(
    ctx: typer.Context,
    loan: Annotated[str, typer.Argument(metavar="LOAN", help="The loan.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write a signed file with everything that the books hold about a loan, for an outsider.

    Every item of the journal comes with its proof under a signed checkpoint, which is made where
    none covers it. Names, account numbers, and notes of people are left out. The same books give
    the same bytes. Exit code 1 if the journal is not what was signed: then nothing is written.
    """
    settings = books_settings(ctx, home)
    with judging():
        checkpoint = run_async(_export(settings, loan, out, replace=replace))
    size, written = checkpoint.head.size, out.stat().st_size
    if as_json:
        print_json({"file": str(out), "loan": loan, "bytes": written, "checkpoint": size})
    else:
        print_text(f"{out}: {written} bytes about {loan}, under the checkpoint of {size} items")


def verify(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.")],
    *,
    key: Annotated[Path, typer.Option(help="The public keys of the ledger, lines or PEM.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="A checkpoint that you keep: the bundle must stand on it.")
    ] = None,
    growth: Annotated[
        Path | None,
        typer.Option(help="Proof that the bundle's checkpoint grew of the one that you keep."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle: name what it proves and what it only states; exit code 1 if it proves not.

    No database and no server is asked.
    """
    from adapters.proofs.bundlecheck import verify_bundle  # noqa: PLC0415  (pydantic is slow)
    from adapters.proofs.prooffile import (  # noqa: PLC0415
        GrowthFile,
        read_checkpoint_file,
        read_proof,
    )
    from adapters.refusals import SourceRefused  # noqa: PLC0415
    from adapters.signing.ed25519 import read_keys  # noqa: PLC0415

    keys = read_keys(key)
    trusted = None if checkpoint is None else read_checkpoint_file(checkpoint)
    grown = None if growth is None else read_proof(growth)
    if grown is not None and (trusted is None or not isinstance(grown, GrowthFile)):
        raise InvalidInput("growth", str(growth), "a proof of growth, with --checkpoint")
    try:
        found = verify_bundle(path, keys, trusted, grown)
    except (InvalidInput, SourceRefused) as error:
        why = str(error).partition("\n")[0]
        if as_json:
            print_json({"proven": False, "why": why})
        note(why)
        raise typer.Exit(Exit.NOT_CLEAN) from None
    if as_json:
        print_json(_facts(found))
    else:
        _show(found)


def _facts(found: Verified) -> dict[str, Any]:
    return {
        "proven": True,
        "loan": found.sealed.manifest.loan,
        "origin": found.sealed.head.origin,
        "checkpoint": found.sealed.head.size,
        "at": found.sealed.head.at,
        "signed_by": found.key_id,
        "rows": found.rows,
        "proved": list(found.proven),
        "stated": list(found.stated),
    }


def _show(found: Verified) -> None:
    head = found.sealed.head
    print_text(f"bundle about {found.sealed.manifest.loan}, as of {head.at:%Y-%m-%d %H:%M} UTC")
    for title, lines in (("proven", found.proven), ("stated, not proven", found.stated)):
        print_text(f"{title}:")
        for line in lines:
            print_text(f"  {line}")


def sample(
    ctx: typer.Context,
    *,
    size: Annotated[int, typer.Option(help="How many loans, 1000 at most.")],
    seed: Annotated[str, typer.Option(help="Any text, best one that the auditor chooses.")],
    by_risk: Annotated[
        bool, typer.Option("--risk", help="Prefer loans with cases, returns, failed debits.")
    ] = False,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make.")],
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Draw loans for an auditor: a folder with a bundle of each, and an index of the draw.

    The draw follows from the seed and the head of the ledger: with both anybody can draw again and
    see that nobody has chosen. All bundles stand under one checkpoint. Exit code 1 if the journal
    is not what was signed: then no folder is made.
    """
    if not out.parent.is_dir() or os.path.lexists(out):
        raise InvalidInput("output", str(out), "a name that is free, in a folder that is there")
    settings = books_settings(ctx, home)
    with judging():
        index = run_async(_sample(settings, (size, seed, by_risk), out))
    if as_json:
        print_json(index)
    else:
        print_text(f"{len(index['drawn'])} of {index['population']} loans in {out}")


async def _sample(settings: Settings, wanted: tuple[int, str, bool], out: Path) -> dict[str, Any]:
    """Make the folder; it has its name once everything is in it."""
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.evidence import Bundles  # noqa: PLC0415

    size, seed, by_risk = wanted
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    async with open_stack(settings) as stack:
        bundles = Bundles(settings, stack)
        checkpoint, draw = await bundles.draw(size, seed, by_risk=by_risk)
        part.mkdir()
        try:
            drawn = [
                await _drawn(bundles, checkpoint, one, part / f"{place:04}.evidence")
                for place, one in enumerate(draw.drawn(), start=1)
            ]
            head = checkpoint.head
            index = {
                "format": "acquit.sample.v1",
                "origin": head.origin,
                "checkpoint": head.size,
                "head": head.head,
                "seed": seed,
                "by_risk": by_risk,
                "population": draw.population,
                "drawn": drawn,
            }
            text = json.dumps(index, indent=1, sort_keys=True) + "\n"
            (part / "index.json").write_text(text, encoding="utf-8")
            part.rename(out)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return index


async def _drawn(
    bundles: Bundles, checkpoint: Checkpoint, one: Drawn, path: Path
) -> dict[str, Any]:
    """Write the bundle of a loan that was drawn; its row of the index.

    Raises:
        InvalidInput: something about the loan was written since the draw.
    """
    from ports.evidence import LaterItems  # noqa: PLC0415

    with path.open("xb") as output:
        try:
            await bundles.write_under(checkpoint, one.loan_id, output)
        except LaterItems:
            rule = "a loan about which nothing is written meanwhile; draw again"
            raise InvalidInput("loan", one.loan_id, rule) from None
    with path.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    return {"file": path.name, "loan": one.loan_id, "weight": one.weight, "sha256": digest}


async def _export(settings: Settings, loan: str, out: Path, *, replace: bool) -> Checkpoint:
    from cli.outfile import written_bytes  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.evidence import Bundles  # noqa: PLC0415

    async with open_stack(settings) as stack:
        bundles = Bundles(settings, stack)
        with written_bytes(out, replace=replace) as output:
            return await bundles.write(loan, output)
