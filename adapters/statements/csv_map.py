"""How a table of bookings is to be read: a map file (TOML), see docs/statements.md."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from adapters.validation import read_toml
from domain.errors import InvalidInput
from domain.money import Rounding, exponent
from domain.statement.statement import DocumentKind

MOST_BYTES = 64 * 1024
_PATTERN_MOST = 200
_REPEATS_MOST, _CHOICES_MOST = 2, 4
_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")
_FORBIDDEN = re.compile(r"\)[*+{]|[*+}][*+{]|\(\?(?!P<[a-z]+>|:)|\{\d{4,}|\\\d")
_SYMBOLS_NO = frozenset("0123456789+-.,'")
_DIRECTIVES = frozenset("YymdHMS")

Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pattern(text: str) -> str:
    """A regular expression that is short, compiles, and takes little time on whatever text.

    No group is repeated, nothing looks around or back, and of repetitions and choices there are
    few: on a line of 500 characters the work is at most their square for each place to begin.
    """
    skeleton = _ATOM.sub("x", text)
    repeats = len(_REPEAT.findall(skeleton))
    choices = skeleton.count("|") + len(re.findall(r"(?<![(*+?}])\?", skeleton))
    is_simple = repeats <= _REPEATS_MOST and choices <= _CHOICES_MOST
    is_plain = not (_FORBIDDEN.search(skeleton) or re.search(r"\\[1-9]", text))
    if len(text) > _PATTERN_MOST or not (is_simple and is_plain):
        raise ValueError(
            f"at most {_PATTERN_MOST} characters, no repetition in a repetition or of a group, "
            f"no look around or back, at most {_REPEATS_MOST} repetitions and {_CHOICES_MOST} "
            "choices (| and ?)"
        )
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression: {error}") from None
    return text


class FileRules(_Table):
    """How the file is written.

    Attributes:
        encodings: tried in this order on the beginning of the file; a byte order mark decides.
        take_off: characters that are taken off the beginning of every cell, such as a back-tick.
        comment: rows that begin so hold no booking; patterns may be found in them.
    """

    encodings: list[Literal["utf-8", "gb18030", "cp1252", "shift_jis", "big5"]] = ["utf-8"]
    delimiter: Literal[",", ";", "\t", "|"] = ","
    quote: Literal['"', "'", ""] = '"'
    take_off: Annotated[str, Field(max_length=5)] = ""
    comment: Annotated[str, Field(max_length=5)] = ""


class Numbers(_Table):
    """How amounts are written.

    Attributes:
        symbols: characters that may stand before or behind an amount.
        surplus: what becomes of more decimals than the currency has, other than zeros.
    """

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    symbols: Annotated[str, Field(max_length=20)] = ""
    surplus: Literal["refuse", "half-up", "half-even", "down"] = "refuse"

    @field_validator("symbols")
    @classmethod
    def _no_figures(cls, symbols: str) -> str:
        if _SYMBOLS_NO.intersection(symbols) or any(it.isdigit() for it in symbols):
            raise ValueError("no digits, signs or marks of numbers, which would be taken off too")
        return symbols

    @model_validator(mode="after")
    def _two_marks(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands must differ")
        return self

    @property
    def rounding(self) -> Rounding | None:
        """How surplus decimals are rounded; None where they are refused."""
        return None if self.surplus == "refuse" else Rounding(self.surplus)


class Dates(_Table):
    """How dates are written, as in `strptime`, with digits only: `%d.%m.%Y`."""

    formats: Annotated[list[Text], Field(min_length=1, max_length=10)] = ["%Y-%m-%d"]

    @field_validator("formats")
    @classmethod
    def _known(cls, formats: list[str]) -> list[str]:
        for text in formats:
            used = re.findall(r"%(.?)", text)
            known = set(used) <= _DIRECTIVES and {"m", "d"} <= set(used)
            if not known or len(set(used)) != len(used) or len({"Y", "y"}.intersection(used)) != 1:
                raise ValueError(f"{text!r}: %Y or %y, %m, %d, and %H %M %S if you like; each once")
        return formats


class Found(_Table):
    """Patterns with one group, searched in the lines around the table."""

    account: str | None = None
    opening: str | None = None
    closing: str | None = None
    first_on: str | None = None
    last_on: str | None = None

    @field_validator("*")
    @classmethod
    def _one_group(cls, text: str | None) -> str | None:
        if text is not None and re.compile(_pattern(text)).groups != 1:
            raise ValueError("exactly one group")
        return text


class Columns(_Table):
    """Columns by what they hold. An amount is one of: `amount`; `credit` and `debit`.

    Attributes:
        amount: signed, or without sign where `sign` names a column of words.
        debits: whether a debit in the column `debit` is written without sign, or with a minus;
            the other of the two is a debit that is taken back.
        charges: what was kept of the amount: then the booked amount is the rest.
        balance: what the account held after the booking.
        other: further references by the name that they are shown under.
    """

    booked_on: Text
    value_on: Text | None = None
    amount: Text | None = None
    sign: Text | None = None
    credit: Text | None = None
    debit: Text | None = None
    debits: Literal["unsigned", "signed"] = "unsigned"
    charges: Text | None = None
    balance: Text | None = None
    currency: Text | None = None
    account: Text | None = None
    reference: Text | None = None
    end_to_end_id: Text | None = None
    mandate_ref: Text | None = None
    batch_ref: Text | None = None
    return_reason: Text | None = None
    remittance: Text | None = None
    text: Text | None = None
    name: Text | None = None
    other_account: Text | None = None
    code: Text | None = None
    other: dict[Text, Text] = {}

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        if (self.amount is None) == (self.credit is None and self.debit is None):
            raise ValueError("either amount, or credit and debit")
        if self.sign is not None and self.amount is None:
            raise ValueError("sign goes with amount")
        return self

    def named(self) -> Iterator[str]:
        """Every column that must be in the header."""
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, str) and name != "debits":
                yield value
        yield from self.other.values()


class RowRule(_Table):
    """What rows with one of these words in a column are; the first rule that fits is taken.

    `amount`, `reference` and `end_to_end_id` name other columns for such rows; `sign` their sign.
    """

    column: Text
    equals: Annotated[list[str], Field(min_length=1, max_length=50)]
    take: Literal["entry", "pending", "skip", "total"] = "entry"
    sign: Literal["credit", "debit"] | None = None
    amount: Text | None = None
    reference: Text | None = None
    end_to_end_id: Text | None = None
    reversal: bool = False


class Total(_Table):
    """The bank's own count and sum, compared with the rows.

    Attributes:
        of: of which bookings; the net is signed.
        pattern: searched around the table, with groups `count` and `sum`, one of them or both.
        header: the first name of a second table below the bookings, of one row; `count` and `sum`
            are columns of it, or, where `header` is not given, of rows that are taken as `total`.
    """

    of: Literal["all", "net", "credits", "debits"]
    pattern: str | None = None
    header: Text | None = None
    count: Text | None = None
    sum: Text | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.pattern is None) == (self.count is None and self.sum is None):
            raise ValueError("either a pattern, or columns count and sum")
        if self.pattern is not None:
            groups = re.compile(_pattern(self.pattern)).groupindex.keys()
            if not groups or not groups <= {"count", "sum"}:
                raise ValueError("the groups count and sum, or one of them")
        return self


class CsvMap(_Table):
    """How to read the tables of one bank or wallet.

    Attributes:
        kind: `statement` moves the bank account; a list of trades is a `report`.
        order: whether the oldest booking comes first.
        otherwise: what rows are to which no rule applies, where there are rules.
        signs: words of the column `sign`.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,29}$")]
    kind: DocumentKind
    account: Text | None = None
    currency: str | None = None
    order: Literal["ascending", "descending"] = "ascending"
    otherwise: Literal["entry", "skip", "refuse"] = "refuse"
    file: FileRules = FileRules()
    numbers: Numbers = Numbers()
    dates: Dates = Dates()
    found: Found = Found()
    columns: Columns
    signs: dict[Literal["credit", "debit"], list[str]] = {}
    rows: Annotated[list[RowRule], Field(max_length=50)] = []
    totals: Annotated[list[Total], Field(max_length=20)] = []

    @field_validator("currency")
    @classmethod
    def _listed(cls, currency: str | None) -> str | None:
        try:
            if currency is not None:
                exponent(currency)
        except InvalidInput as error:
            raise ValueError(error.rule) from None
        return currency

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.columns.sign is None) != (not self.signs):
            raise ValueError("signs are given with a column sign, and only with it")
        if (self.currency is None) == (self.columns.currency is None):
            raise ValueError("either a currency or a column of it")
        sources = (self.account, self.found.account, self.columns.account)
        if sum(source is not None for source in sources) != 1:
            raise ValueError("the account comes from one place: account, found or columns")
        return self

    def header_names(self) -> frozenset[str]:
        """The columns that a table of this map must have."""
        ruled = (
            name
            for rule in self.rows
            for name in (rule.column, rule.amount, rule.reference, rule.end_to_end_id)
            if name is not None
        )
        return frozenset((*self.columns.named(), *ruled))


def read_map(path: Path) -> CsvMap:
    """A map file.

    Raises:
        SourceRefused: names the file and every field, value and rule that is broken.
    """
    return read_toml(path, MOST_BYTES, CsvMap.model_validate)
