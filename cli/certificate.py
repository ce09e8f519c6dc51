"""`acquit certificate`: issue, show and verify certificates of settlement; list revoked ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.checkpoints import OutOption, ReplaceOption
from cli.output import (
    HomeOption,
    JsonOption,
    books_settings,
    print_json,
    print_table,
    print_text,
    run_async,
)
from domain.errors import InvalidInput
from workers.reporting import Exit, note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.loan.aggregate import Loan
    from domain.loanclosure.certificate import Certificate, Settlement
    from workers.compose import Stack
    from workers.settings import Settings

_PAGE = 500
_LOAN = typer.Argument(metavar="LOAN", help="The loan.")
_PUBLIC = typer.Option("--public-key", help="File with the public keys of the issuer, or PEM.")
_REVOKED = typer.Option("--revoked", help="A signed list of revoked certificates, as given out.")


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Certificates of settlement: signed, printed, verified without the books.",
    )
    group.command("issue", epilog="Example: acquit certificate issue L-7 --out L-7.pdf")(issue)
    group.command("show", epilog="Example: acquit certificate show L-7 --json")(show)
    group.command(
        "verify",
        epilog="Example: acquit certificate verify L-7.pdf --public-key acquit.pub. Exit codes: "
        "0 genuine and not known to be revoked, 1 neither proven nor valid, 2 wrong input.",
    )(verify)
    group.command("revoked", epilog="Example: acquit certificate revoked --out revoked.json")(
        revoked
    )
    app.add_typer(group, name="certificate")


def issue(
    ctx: typer.Context,
    loan: Annotated[str, _LOAN],
    *,
    out: OutOption = None,
    replace: ReplaceOption = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write the certificate of a settled loan: a PDF, or its signed JSON where OUT ends in .json.

    One that stands is given again. If the closure of the loan waits for its certificate, it is
    signed now, by the key in the file that ACQUIT_SIGNING_KEY names, and recorded.
    """
    from adapters.certificates.files import certificate_json  # noqa: PLC0415

    certificate = run_async(_issued(books_settings(ctx, home), loan))
    text = certificate_json(certificate)
    if out is not None:
        from cli.outfile import written_bytes  # noqa: PLC0415

        content = text.encode() + b"\n"
        if out.suffix != ".json":
            from adapters.certificates.pdf import pdf_of  # noqa: PLC0415

            content = pdf_of(certificate)
        with written_bytes(out, replace=replace) as output:
            output.write(content)
    if as_json:
        print_json(_row(certificate))
    elif out is None:
        print_text(text)
    else:
        print_text(f"certificate {certificate.code}: {out}")


def show(
    ctx: typer.Context,
    loan: Annotated[str, _LOAN],
    *,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show every certificate that was given out for a loan, and whether it stands."""
    found = run_async(_loan_of(books_settings(ctx, home), loan))
    certificates = () if found.closing is None else found.closing.certificates
    rows = [_row(one) for one in certificates]
    if as_json:
        print_json({"loan": loan, "certificates": rows})
        return
    print_table(
        f"Certificates of {loan}: {len(rows)}",
        ("code", "settled on", "issued", "revoked", "why"),
        [
            tuple(str(row[name] or "-") for name in _SHOWN)
            for row in rows
        ],
    )  # fmt: skip


def verify(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The certificate, PDF or JSON.")],
    *,
    public_key: Annotated[Path, _PUBLIC],
    revoked: Annotated[Path | None, _REVOKED] = None,
    books: Annotated[
        bool, typer.Option("--books", help="Ask the books whether it was revoked.")
    ] = False,
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Verify a certificate: with the public key alone, and against revocations where asked.

    Exit code 1 if it is not proven, or revoked. Without --revoked or --books it is only proven that
    the issuer signed it; it may have been revoked since.
    """
    from adapters.certificates.files import proven, read_certificate, read_revoked  # noqa: PLC0415
    from adapters.signing.ed25519 import read_keys  # noqa: PLC0415
    from domain.ledger.proofs import NotProven  # noqa: PLC0415

    keys = read_keys(public_key)
    signed = read_certificate(file)
    since = ""
    try:
        said = proven(signed, keys)
        if revoked is not None:
            since = read_revoked(revoked, keys).codes.get(signed.code, "")
        if books and not since:
            since = run_async(_revoked_since(books_settings(ctx, home), said, signed.code))
    except NotProven as fault:
        note(f"not proven: {fault}")
        raise typer.Exit(Exit.NOT_CLEAN) from None
    asked = books or revoked is not None
    state = f"revoked since {since}" if since else "valid" if asked else "genuine"
    facts = {**_facts(said), "code": signed.code, "state": state, "revocations_asked": asked}
    if as_json:
        print_json(facts)
    else:
        print_text(f"{state}: loan {said.loan_id} settled as of {said.settled_on}")
        print_text(f"  code {signed.code}, issued on {said.issued_on} by {said.issuer}")
        if not asked:
            note("nobody was asked whether it was revoked: see --revoked and --books")
    if since:
        raise typer.Exit(Exit.NOT_CLEAN)


def revoked(
    ctx: typer.Context,
    *,
    out: OutOption = None,
    replace: ReplaceOption = False,
    home: HomeOption = None,
) -> None:
    """Write the signed list of all revoked certificates, for whoever verifies without the books."""
    from cli.checkpoints import write_out  # noqa: PLC0415

    text = run_async(_revoked_list(books_settings(ctx, home)))
    write_out(text + "\n", out, replace=replace, shown=True)


_SHOWN = ("code", "settled_on", "issued_at", "revoked_at", "why")


def _row(certificate: Certificate) -> dict[str, Any]:
    from domain.loanclosure.certificate import read_settlement  # noqa: PLC0415

    return {
        **_facts(read_settlement(certificate.text)),
        "code": certificate.code,
        "issued_at": certificate.issued_at,
        "revoked_at": certificate.revoked_at,
        "why": certificate.why,
    }


def _facts(said: Settlement) -> dict[str, Any]:
    return {
        "loan": said.loan_id,
        "settled_on": said.settled_on,
        "issued_on": said.issued_on,
        "generation": said.generation,
        "issuer": said.issuer,
    }


async def _loan(stack: Stack, loan_id: str) -> Loan:
    found = await stack.queries.loan(loan_id)
    if found is None:
        raise InvalidInput("loan", loan_id, "a loan on the books")
    return found


async def _loan_of(settings: Settings, loan_id: str) -> Loan:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        return await _loan(stack, loan_id)


async def _issued(settings: Settings, loan_id: str) -> Certificate:
    """The certificate that stands; one is signed where the closure waits for it."""
    from activities.actions import driver_of  # noqa: PLC0415
    from activities.closures import signed_settlement  # noqa: PLC0415
    from domain.calendar import local_day  # noqa: PLC0415
    from domain.kernel import canonical  # noqa: PLC0415
    from domain.loanclosure.commands import RecordCertificate  # noqa: PLC0415
    from domain.loanclosure.rules import LegKind  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.sealing import issuer_of  # noqa: PLC0415

    async with open_stack(settings) as stack:
        loan = await _loan(stack, loan_id)
        closure = loan.closing
        if closure is not None and closure.certificate is not None:
            return closure.certificate
        leg = None if closure is None else closure.leg(LegKind.ISSUE_CERTIFICATE)
        if closure is None or leg is None or leg.is_over:
            rule = "a settled loan whose closure has, or waits for, its certificate"
            raise InvalidInput("loan", loan_id, rule)
        issuer = issuer_of(settings)
        if issuer is None:
            raise InvalidInput("signing key", "", "a file with a key, see ACQUIT_SIGNING_KEY")
        today = local_day(stack.clock.now(), loan.product.timezone)
        signed = signed_settlement(loan, closure, issuer, today)
        mark = canonical.digest(signed)[:16]
        await stack.books.for_drivers().apply(
            RecordCertificate(
                id=canonical.bounded(f"driver/{closure.subject}/signed/{mark}"),
                actor=driver_of(closure.subject),
                reason="signed on the command line",
                loan_id=loan_id,
                **signed,
            )
        )
        closure = (await _loan(stack, loan_id)).closing
        if closure is None or closure.certificate is None:
            raise InvalidInput("loan", loan_id, "a loan that is still settled")
        return closure.certificate


async def _revoked_since(settings: Settings, said: Settlement, code: str) -> str:
    """Since when a certificate is revoked by the books; they must know it."""
    found = await _loan_of(settings, said.loan_id)
    certificates = () if found.closing is None else found.closing.certificates
    for one in certificates:
        if one.code == code:
            return "" if one.revoked_at is None else one.revoked_at.isoformat()
    raise InvalidInput("certificate", code, "one that these books have given out")


async def _revoked_list(settings: Settings) -> str:
    from adapters.certificates.files import revoked_json  # noqa: PLC0415
    from domain.loanclosure.closure import LOAN_CLOSURE  # noqa: PLC0415
    from ports.subjectfilter import SubjectFilter  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415
    from workers.sealing import issuer_of  # noqa: PLC0415

    issuer = issuer_of(settings)
    if issuer is None:
        raise InvalidInput("signing key", "", "a file with a key, see ACQUIT_SIGNING_KEY")
    found: list[Certificate] = []
    async with open_stack(settings) as stack:
        after = ""
        while True:
            page = await stack.queries.subjects(SubjectFilter(kind=LOAN_CLOSURE), after, _PAGE)
            for one in page.items:
                if one.view.detail.revoked:
                    loan = await _loan(stack, one.view.subject.key)
                    found.extend(_revoked_of(loan))
            if not page.after:
                return revoked_json(found, stack.clock.now(), issuer.signer)
            after = page.after


def _revoked_of(loan: Loan) -> Iterator[Certificate]:
    for one in () if loan.closing is None else loan.closing.certificates:
        if one.revoked_at is not None:
            yield one
