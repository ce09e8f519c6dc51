"""`acquit payoff`: what it costs to repay a loan early, or a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.arithmetic.termstext import TermsText, with_terms
from cli.output import JsonOption, print_json, print_table
from workers.reporting import note

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from domain.pricing.payoff import EarlyFee, QuotePart
    from domain.pricing.schedule import ScheduleTerms

_EXAMPLE = (
    "Example: acquit payoff --principal 12000 --rate 12 --periods 12 --method equal-installment "
    "--disbursed 2024-01-15 --first-due 2024-02-15 --currency CNY --as-of 2024-05-03 "
    "--paid-through 3 --fee 1 --json"
)


def register(app: typer.Typer) -> None:
    """Add `payoff` to `app`."""
    app.command("payoff", epilog=_EXAMPLE)(with_terms(payoff))


def payoff(  # noqa: PLR0913  (one parameter for each option)
    words: TermsText,
    *,
    as_of: Annotated[str, typer.Option(help="Day of payment, YYYY-MM-DD.")],
    paid_through: Annotated[
        int, typer.Option(help="Number of the last installment that is paid.")
    ] = 0,
    fee: Annotated[
        str, typer.Option(help="Early-repayment fee in percent of the principal repaid early.")
    ] = "0",
    eu_cap: Annotated[
        bool, typer.Option(help="Limit the fee as directive 2008/48/EC art. 16 does.")
    ] = False,
    penalty: Annotated[str, typer.Option(help="Penalty open on that day, decimal.")] = "0",
    prepay: Annotated[str, typer.Option(help="Repay this amount only, decimal.")] = "",
    effect: Annotated[
        str,
        typer.Option(
            help="With --prepay: shorter-term, smaller-installment, next-installments or "
            "last-installments."
        ),
    ] = "shorter-term",
    as_json: JsonOption = False,
) -> None:
    """Quote an early payoff with the reason for each part; good for that day only."""
    from cli.arithmetic.flowtext import ratio  # noqa: PLC0415
    from cli.options import amount_of, day_of  # noqa: PLC0415
    from domain.money import decimal_text  # noqa: PLC0415
    from domain.pricing.payoff import EU_CONSUMER_CREDIT, EarlyFee, quote  # noqa: PLC0415
    from domain.pricing.schedule import build  # noqa: PLC0415

    terms, currency = words.read(), words.currency
    day = day_of("as_of", as_of)
    agreed = EarlyFee(ratio("fee", fee) / 100, EU_CONSUMER_CREDIT if eu_cap else (), eu_cap)
    asked = amount_of("penalty", penalty, currency)
    if prepay:
        _only_whole(terms, day, paid_through, asked)
        minor = amount_of("prepay", prepay, currency)
        _prepay(terms, day, minor, effect, agreed, as_json=as_json)
        return
    found = quote(
        terms, build(terms), day, paid_through=paid_through, fee=agreed, penalty_minor=asked
    )
    answer: dict[str, object] = {
        "as_of": day,
        "total": decimal_text(found.total, currency),
        "parts": _parts(found.parts, currency),
        "interest_saved": decimal_text(found.interest_saved, currency),
    }
    _print(answer, f"payoff on {day}: {answer['total']} {currency}", as_json=as_json)


def _prepay(
    terms: ScheduleTerms,
    day: date,
    minor: int,
    effect: str,
    fee: EarlyFee,
    *,
    as_json: bool,
) -> None:
    from cli.arithmetic.schedulerows import rows_of  # noqa: PLC0415
    from cli.options import choice  # noqa: PLC0415
    from domain.money import decimal_text  # noqa: PLC0415
    from domain.pricing.prepay import prepay  # noqa: PLC0415
    from domain.pricing.restructure import Effect  # noqa: PLC0415
    from domain.pricing.schedule import build  # noqa: PLC0415

    kind = choice("effect", effect, Effect)
    found = prepay(terms, build(terms), day, minor, kind, fee)
    answer: dict[str, object] = {
        "as_of": day,
        "principal": decimal_text(found.principal, terms.currency),
        "parts": _parts(found.parts, terms.currency),
        "left": decimal_text(found.left, terms.currency),
        "effect": kind.value,
        "schedule": rows_of(found.lines, terms.currency),
    }
    _print(answer, f"repaid early on {day}: {kind}", as_json=as_json)


def _only_whole(terms: ScheduleTerms, day: date, paid_through: int, penalty_minor: int) -> None:
    """A part is repaid early once everything due is paid: refuse words that say otherwise."""
    from domain.errors import InvalidInput  # noqa: PLC0415
    from domain.pricing.schedule import build  # noqa: PLC0415

    due = sum(line.due_on <= day for line in build(terms))
    if penalty_minor:
        raise InvalidInput("penalty", penalty_minor, "none beside --prepay: it is paid before")
    if paid_through not in {0, due}:
        rule = f"{due} beside --prepay: what is due is paid before, nothing ahead"
        raise InvalidInput("paid_through", paid_through, rule)
    if due and not paid_through:
        note(f"note: installments 1 to {due}, due up to {day}, are taken as paid")


def _parts(parts: Sequence[QuotePart], currency: str) -> list[dict[str, str]]:
    from domain.money import decimal_text  # noqa: PLC0415

    return [
        {
            "component": part.component.value,
            "amount": decimal_text(part.minor, currency),
            "why": part.why,
        }
        for part in parts
    ]


def _print(answer: dict[str, object], title: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    for name, value in answer.items():
        if isinstance(value, list) and value:
            heads = [head if head == "why" else f"{head}>" for head in value[0]]
            print_table(
                title if name == "parts" else name, heads, [list(row.values()) for row in value]
            )
