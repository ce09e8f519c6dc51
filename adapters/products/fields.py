"""Field types of product files: exact numbers, plain names, no silent conversion."""

from datetime import time
from decimal import Decimal
from fractions import Fraction
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field

from domain.calendar import Adjust
from domain.errors import InvalidInput
from domain.loan.product import Routing
from domain.loan.waterfall import Direction, Future
from domain.money import Rounding, exponent
from domain.pricing.amounts import Component
from domain.pricing.caps import Measure
from domain.pricing.frequency import Frequency
from domain.pricing.schedule_terms import Method


def _decimal(value: object) -> Decimal:
    """Whole numbers and strings become exact decimals; TOML floats were read as decimals."""
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except ArithmeticError:
            pass
    raise ValueError("must be a decimal number")


def _fraction(value: object) -> Fraction:
    """`"9/10"`, `"0.9"`, 0.9 (read as a decimal) or 1."""
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            pass
    raise ValueError('must be a fraction such as "9/10" or 0.9')


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a name of the IANA time zone database") from None
    return value


def _currency(value: str) -> str:
    try:
        exponent(value)
    except InvalidInput as error:
        raise ValueError(f"must be {error.rule}") from None
    return value


def _frequency(value: object) -> Frequency:
    try:
        return Frequency.parse(str(value))
    except InvalidInput as error:
        raise ValueError(f"must be {error.rule}") from None


def _future(value: Future) -> Future:
    if value is not Future.ADVANCE:
        raise ValueError(f"must be {Future.ADVANCE}: the books do nothing else with money ahead")
    return value


def _computed(value: Method) -> Method:
    """Methods for which a tape gives all that is needed."""
    if value in {Method.BALLOON, Method.EXPLICIT}:
        known = ", ".join(one for one in Method if one not in {Method.BALLOON, Method.EXPLICIT})
        raise ValueError(f"must be one of {known}: a product has no balloon and no rows")
    return value


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
AccountName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Currency = Annotated[str, AfterValidator(_currency)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Exact = Annotated[Decimal, BeforeValidator(_decimal)]
Share = Annotated[Fraction, BeforeValidator(_fraction), Field(ge=0, le=1)]
Minor = Annotated[int, Field(ge=0, le=10**15)]
Days = Annotated[int, Field(ge=0, le=366)]
Clock = Annotated[time, Field(strict=False)]
Every = Annotated[Frequency, BeforeValidator(_frequency)]

# Strict models take only enum members; in a file a member is written by its value.
AdjustName = Annotated[Adjust, Field(strict=False)]
MethodName = Annotated[Method, Field(strict=False), AfterValidator(_computed)]
RoundingName = Annotated[Rounding, Field(strict=False)]
ComponentName = Annotated[Component, Field(strict=False)]
MeasureName = Annotated[Measure, Field(strict=False)]
DirectionName = Annotated[Direction, Field(strict=False)]
FutureName = Annotated[Future, Field(strict=False), AfterValidator(_future)]
RoutingName = Annotated[Routing, Field(strict=False)]
