"""`acquit mandate`: a payer's authority to debit, the loans under it, and what people order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.order import (
    ActorOption,
    ApproverOption,
    IdOption,
    ReasonOption,
    WithKinds,
    give,
    must_be_given,
    ordered_by,
    read_typed,
)
from cli.output import HomeOption, JsonOption, books_settings, print_json, print_text, run_async
from cli.story import event_row
from cli.times import zones_of
from domain.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import tzinfo

    from domain.loan.aggregate import Loan
    from ports.consolequeries import MandateFacts
    from workers.settings import Settings

_EXAMPLE = 'Example: acquit mandate end M-7 ended_on=2026-03-10 --actor ops-7 --reason "revoked"'
SIGN = "sign"
VERBS: Mapping[str, str] = {
    "end": "end_mandate",
    "replace": "replace_mandate",
    "clear": "clear_mandate",
}
"""What can be ordered about a mandate, and the kind of that order."""


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command("mandate", cls=WithVerbs, epilog=_EXAMPLE)(mandate)


class WithVerbs(WithKinds):
    """A command whose help lists what can be ordered about a mandate."""

    def kinds(self) -> Mapping[str, Any]:
        """The orders by the words that they are typed with."""
        from domain.loan.mandates import MANDATE_ORDERS  # noqa: PLC0415

        return {verb: MANDATE_ORDERS[kind] for verb, kind in VERBS.items()}


def mandate(
    ctx: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[VERB] KEY [FIELD=VALUE]...", help="The mandate; what to do, if any."
        ),
    ],
    *,
    actor: ActorOption = "",
    reason: ReasonOption = "",
    approver: ApproverOption = None,
    order_id: IdOption = "",
    as_json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show one mandate with its loans and its story; end or clear it, or replace it for a loan.

    In a sandbox `acquit mandate sign LOAN` signs the mandate of a loan at the simulated bank, as
    its borrower would: `acquit demo` and `acquit board` do so by themselves, and without it every
    debit is declined. What the rules do not allow is refused by name, exit code 1.
    """
    settings = books_settings(ctx, home)
    if words[0] not in {*VERBS, SIGN}:
        if len(words) > 1:
            raise InvalidInput("VERB", words[0], f"one of {', '.join((*VERBS, SIGN))}")
        return _show(settings, words[0], as_json=as_json)
    if len(words) == 1:
        if words[0] == SIGN:
            raise InvalidInput("LOAN", "", "the loan whose mandate is signed")
        raise InvalidInput("KEY", "", f"the mandate to {words[0]}")
    if words[0] == SIGN:
        return _signed(settings, words[1:])
    must_be_given(actor, reason)
    from domain.loan.mandates import MANDATE_ORDERS  # noqa: PLC0415

    who, about = ordered_by(actor, reason, approver, order_id), {"mandate": words[1]}
    given = read_typed(VERBS[words[0]], words[2:], who, MANDATE_ORDERS, about)
    give(settings, given, who["id"], words[1], as_json=as_json)
    return None


def facts(found: MandateFacts) -> dict[str, Any]:
    """A mandate as the command prints it; the account's token is not shown."""
    root, terms = found.root, found.root.terms
    return {
        "mandate": root.ref,
        "state": root.state,
        "rail": terms.rail,
        "valid_from": terms.valid_from,
        "valid_to": terms.valid_to,
        "ended_on": terms.ended_on,
        "code": root.code,
        "source": root.source,
        "barred": "; ".join(map(str, terms.bars)) or None,
        "cap_minor": terms.cap_minor,
        "attempts_max": terms.attempts_max,
        "loans": list(found.loans),
        "story": [event_row(event) for event in found.story],
    }


def _show(settings: Settings, ref: str, *, as_json: bool) -> None:
    from domain.story.words import in_words  # noqa: PLC0415

    found, zone = run_async(_one(settings, ref))
    shown = facts(found)
    if as_json:
        print_json(shown)
        return
    ended = f", ended on {shown['ended_on']}" if shown["ended_on"] else ""
    term = f"from {shown['valid_from']} to {shown['valid_to'] or 'no set day'}"
    print_text(f"{ref}: {shown['state']}{ended}, {shown['rail']}, {term}")
    if shown["barred"]:
        print_text(f"  barred: nothing is debited under it since {shown['barred']}")
    print_text(f"  loans: {', '.join(shown['loans']) or 'none'}")
    for event in in_words(found.story, zone, ""):
        for line in event.lines():
            print_text(f"  {line}")


async def _one(settings: Settings, ref: str) -> tuple[MandateFacts, tzinfo]:
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        found = await stack.queries.mandate(ref)
        if found is None:
            loan = await stack.queries.loan(ref)
            found = await stack.queries.mandate(loan.mandate.ref) if loan is not None else None
        if found is None:
            rule = "the reference of a mandate on the books, or a loan under one"
            raise InvalidInput("mandate", ref, rule)
        zones = await zones_of(stack.queries, found.loans)
        return found, zones.of(*found.loans)


def _signed(settings: Settings, words: list[str]) -> None:
    if len(words) > 1:
        raise InvalidInput("LOAN", " ".join(words), "one loan on the books")
    found = run_async(_sign(settings, words[0]))
    print_text(f"mandate {found.mandate.ref} of {found.id} is signed at {found.product.rail}")


async def _sign(settings: Settings, loan_id: str) -> Loan:
    from sandbox.mandates import sign_mandates  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    async with open_stack(settings) as stack:
        if stack.record is None or stack.record.mode != "sandbox":
            raise InvalidInput("home", str(settings.home), "the home of a sandbox that is up")
        found: Loan | None = await stack.queries.loan(loan_id)
        if found is None:
            raise InvalidInput("loan", loan_id, "a loan that is boarded")
        await sign_mandates(stack.rails, [found])
        return found
