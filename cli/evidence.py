"""`acquit evidence`: signed bundles about loans, and what an outsider does with them."""

from __future__ import annotations

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
    from domain.ledger.checkpoint import Checkpoint
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


async def _export(settings: Settings, loan: str, out: Path, *, replace: bool) -> Checkpoint:
    from cli.outfile import written_bytes  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.evidence import Bundles  # noqa: PLC0415

    async with open_stack(settings) as stack:
        bundles = Bundles(settings, stack)
        with written_bytes(out, replace=replace) as output:
            return await bundles.write(loan, output)
