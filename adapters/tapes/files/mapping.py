"""The map from a lender's columns to ours: a TOML file, or the canonical columns themselves."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.products.fields import Exact
from adapters.tapes.files.columns import CANONICAL, REQUIRED
from adapters.validation import read_toml
from domain.errors import InvalidInput

DEFAULT_TENANT = "default"
DEFAULT_TEMPLATES = {
    "borrower": "borrower-{loan_id}",
    "mandate_ref": "MD-{loan_id}",
    "account_token": "account-{loan_id}",
}
MOST_BYTES = 64 * 1024
_PLACE = re.compile(r"\{([^{}]*)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """A template with its places filled from a row's values by canonical name."""
    return _PLACE.sub(lambda place: values[place[1]], template)


class _Table(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Units(_Table):
    """What numbers on the tape mean."""

    annual_rate: Literal["percent", "fraction"] = "percent"


class Dates(_Table):
    """How dates are written: whole days, or months to which a day of the month is given."""

    format: Literal["day", "month"] = "day"
    day: Annotated[int, Field(ge=1, le=28)] | None = None

    @model_validator(mode="after")
    def _day_for_months(self) -> Self:
        if (self.format == "month") != (self.day is not None):
            raise ValueError("day (1 to 28) is given with format month, and only with it")
        return self


class ProductRule(_Table):
    """A product for the rows that keep every condition given; the first rule that fits wins."""

    product: str
    currency: str | None = None
    periods_most: int | None = None
    principal_most: Exact | None = None
    column: str | None = None
    equals: str | None = None

    @model_validator(mode="after")
    def _column_with_value(self) -> Self:
        if (self.column is None) != (self.equals is None):
            raise ValueError("column and equals are given together or not at all")
        return self


class TapeMap(_Table):
    """How to read one lender's tape. Every canonical field comes from one place only."""

    name: str = "canonical"
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}
    templates: dict[str, str] = {}
    units: Units = Units()
    dates: Dates = Dates()
    product_rules: list[ProductRule] = []
    strict_columns: bool = False
    """The columns are ours by name: optional ones may lack, and any other column is a fault,
    since a misspelt optional column would be lost silently."""

    @model_validator(mode="after")
    def _each_field_once(self) -> Self:
        given = [*self.columns, *self.constants, *self.templates]
        if strange := sorted(set(given) - set(CANONICAL)):
            raise ValueError(f"{', '.join(strange)}: no such field; see docs/tapes.md")
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} must come from one place only")
        for name in REQUIRED:
            by_rule = name == "product" and self.product_rules
            if name not in given and not by_rule:
                raise ValueError(f"{name} must come from a column, constant, template or rule")
        for text in self.templates.values():
            unknown = set(_PLACE.findall(text)) - set(self.columns) - set(self.constants)
            if unknown:
                raise ValueError(f"template {text!r} names {sorted(unknown)}, which is not given")
        return self

    def day_of(self, text: str, field: str) -> date:
        """A date as the tape writes it."""
        wanted = "YYYY-MM" if self.dates.day is not None else "YYYY-MM-DD"
        whole = text if self.dates.day is None else f"{text}-{self.dates.day:02d}"
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", whole, re.ASCII):
            raise InvalidInput(field, text, f"a date written {wanted}")
        try:
            return date.fromisoformat(whole)
        except ValueError:
            raise InvalidInput(field, text, f"a day that exists, written {wanted}") from None


CANONICAL_MAP = TapeMap.model_validate(
    {"columns": {name: name for name in CANONICAL}, "strict_columns": True}
)
"""Our own columns under their own names; docs/tapes.md describes them."""


def read_map(path: Path) -> TapeMap:
    """A map file.

    Raises:
        SourceRefused: names the file and every field, value and rule that is broken.
    """
    return read_toml(path, MOST_BYTES, TapeMap.model_validate)
