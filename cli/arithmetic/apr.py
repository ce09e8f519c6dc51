"""`acquit apr`: the annual percentage rate of a loan, by the rule of the place."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.output import JsonOption, print_json, print_table

_EXAMPLE = (
    "Example: acquit apr --method us-actuarial --advance 6000 --payment 200x36 "
    "--unit-period month --odd-days 19 --json"
)


def register(app: typer.Typer) -> None:
    """Add `apr` to `app`."""
    app.command("apr", epilog=_EXAMPLE)(apr)


def apr(  # noqa: PLR0913  (one parameter for each option)
    *,
    method: Annotated[str, typer.Option(help="us-actuarial, eu or irr.")],
    advance: Annotated[list[str] | None, typer.Option(help="AMOUNT[@DATE]; may repeat.")] = None,
    payment: Annotated[
        list[str] | None, typer.Option(help="AMOUNT[xCOUNT][@DATE][/EVERY]; may repeat.")
    ] = None,
    unit_period: Annotated[
        str, typer.Option(help="month, week, half-month, day, year, or such as 2m, 2w.")
    ] = "",
    odd_days: Annotated[
        int, typer.Option(help="Days besides the whole periods before the first payment.")
    ] = 0,
    odd_periods: Annotated[
        str, typer.Option(help="Whole unit periods before the first payment; 1 unless given.")
    ] = "",
    flows: Annotated[
        str,
        typer.Option(help="CSV: date,amount or period,fraction,amount; advances are negative."),
    ] = "",
    decimals: Annotated[int, typer.Option(help="Decimals of the percentages.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Compute an APR.

    Undated payments follow one another, each one period after the last; the first lies one period
    after the advance, plus the odd days. Dated ones are measured as the method says.
    """
    from cli.arithmetic.flowtext import FlowText, per_year_text, read_csv  # noqa: PLC0415
    from cli.options import choice  # noqa: PLC0415
    from domain.pricing.apr import AprMethod, disclose  # noqa: PLC0415
    from domain.pricing.apr import apr as rate_of  # noqa: PLC0415

    rule = choice("method", method, AprMethod)
    text = FlowText(rule, tuple(advance or ()), tuple(payment or ()), unit_period)
    timed = read_csv(flows, text) if flows else text.read(odd_days, odd_periods)
    rate = rate_of(timed.flows, rule, timed.per_year, timed.unit.per_year)
    answer = {
        "apr": disclose(rate.disclosed, decimals),
        "effective": disclose(rate.effective, decimals),
        "nominal": disclose(rate.nominal, decimals),
        "unit_period": str(timed.unit),
        "periods_per_year": per_year_text(timed.unit.per_year),
        "method": rule.value,
    }
    if as_json:
        print_json(answer)
    else:
        print_table(f"APR, {rule}, percent", ["", "value>"], list(answer.items()))
