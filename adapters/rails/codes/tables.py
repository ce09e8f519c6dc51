"""Reads the code tables: `<rail>.toml` per rail, `classes.toml` for what a class means to people.

A row says only what differs from its class and its product; everything is checked on reading.
"""

import tomllib
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.debit.codes import CodeRow, CodeTable, LocalText, RefusalAction, RetryLimit
from domain.debit.outcome import OutcomeClass
from domain.errors import InvalidInput, InvariantBroken

_FOLDER = Path(__file__).parent
_NOT_RAILS = frozenset({"classes", "limits"})
_Model = TypeVar("_Model", bound=BaseModel)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Said(_Strict):
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class _ClassMeaning(_Strict):
    """What a class means unless a row says otherwise."""

    machine_retry: bool
    retry_limit: int | None = None
    action: RefusalAction
    borrower: _Said
    can_do: _Said


class _Row(_Strict):
    code: str = Field(min_length=1)
    text: str = Field(min_length=1)
    en: str | None = None
    outcome_class: OutcomeClass = Field(alias="class")
    source: str = Field(min_length=1)
    machine_retry: bool | None = None
    retry_limit: int | None = Field(default=None, ge=0)
    retry_within_days: int | None = Field(default=None, ge=0)
    wait_hours: int = Field(default=0, ge=0)
    finality: str | None = None
    action: RefusalAction | None = None
    borrower: _Said | None = None
    can_do: _Said | None = None


class _Product(_Strict):
    """One list of codes, with what holds for all of it."""

    title: str
    retry_limit: int | None = None
    retry_within_days: int | None = None
    finality: str
    limits: tuple[str, ...] = ()
    codes: tuple[_Row, ...] = Field(min_length=1)


class _RailFile(_Strict):
    rail: str
    default: tuple[str, ...] = Field(min_length=1)
    sources: dict[str, str]
    products: dict[str, _Product] = Field(min_length=1)


class _Limit(_Strict):
    id: str
    text: str
    source: str = Field(min_length=1)
    applies_to: tuple[str, ...] = ()
    only_codes: tuple[str, ...] = ()
    presentations_max: int | None = Field(default=None, ge=1)
    within_days: int | None = Field(default=None, ge=0)
    rolling_max: int | None = Field(default=None, ge=1)
    rolling_hours: int = Field(default=0, ge=0)
    failures_in_a_row: int | None = Field(default=None, ge=1)
    across_loans: bool = False
    wait_hours: int = Field(default=0, ge=0)


class _LimitFile(_Strict):
    limits: tuple[_Limit, ...] = Field(min_length=1)


def rails() -> tuple[str, ...]:
    """Names of the rails that have a table, sorted."""
    return tuple(sorted(p.stem for p in _FOLDER.glob("*.toml") if p.stem not in _NOT_RAILS))


def products(rail: str) -> tuple[str, ...]:
    """Names of the code lists of a rail, in the order of its file."""
    return tuple(_rail_file(rail).products)


@cache
def load_codes(rail: str, product: str | None = None) -> CodeTable:
    """The code table of one rail product; without a product, of the rail's ordinary lists.

    Raises:
        InvalidInput: no such rail or product.
        InvariantBroken: a data file contradicts itself.
    """
    read = _rail_file(rail)
    if product is not None and product not in read.products:
        raise InvalidInput("product", product, f"one of {', '.join(read.products)}")
    names = read.default if product is None else (product,)
    rows: dict[str, CodeRow] = {}
    for name in names:
        for row in _rows(read, name):
            rows.setdefault(row.code, row)  # the list named first wins
    return CodeTable(rail, names[0], MappingProxyType(rows), _unknown(rail, names[0]))


def load_returns(rail: str) -> CodeTable:
    """The reasons of returned debits: the rail's own list of them, else its ordinary lists.

    Raises:
        InvalidInput: no such rail.
    """
    return load_codes(rail, "returns" if "returns" in products(rail) else None)


@cache
def load_limits(*ids: str) -> tuple[RetryLimit, ...]:
    """The retry limits with these ids, in this order; without ids, all of them.

    Raises:
        InvalidInput: no such limit.
    """
    read = _validated(_LimitFile, "limits").limits
    known = {limit.id: limit for limit in read}
    if len(known) != len(read):
        raise InvariantBroken("limits.toml names a limit twice")
    for name in ids:
        if name not in known:
            raise InvalidInput("limit", name, f"one of {', '.join(known)}")
    chosen = [known[name] for name in ids] if ids else list(read)
    return tuple(RetryLimit(**limit.model_dump(exclude={"text"})) for limit in chosen)


@cache
def limits_of(rail: str, product: str | None = None) -> tuple[RetryLimit, ...]:
    """The limits that a rail product names as its scheme's own, and the waits of its codes.

    Raises:
        InvalidInput: no such rail or product.
    """
    read = _rail_file(rail)
    table = load_codes(rail, product)
    ids = read.products[table.product].limits
    scheme = load_limits(*ids) if ids else ()
    waits = tuple(
        RetryLimit(
            id=f"{rail}.wait.{row.code}",
            source=row.source,
            applies_to=(row.code,),
            wait_hours=row.wait_hours,
        )
        for row in table.rows.values()
        if row.wait_hours
    )
    return scheme + waits


def _rows(read: _RailFile, product: str) -> list[CodeRow]:
    listed = read.products[product]
    seen: set[str] = set()
    rows = []
    for row in listed.codes:
        if row.code in seen:
            raise InvariantBroken(f"{read.rail}/{product} names code {row.code} twice")
        if row.source not in read.sources:
            raise InvariantBroken(f"{read.rail}/{product}/{row.code}: no source {row.source}")
        seen.add(row.code)
        rows.append(_row(read, product, row))
    return rows


def _row(read: _RailFile, product: str, row: _Row) -> CodeRow:
    listed, meaning = read.products[product], _classes()[row.outcome_class]
    again = meaning.machine_retry if row.machine_retry is None else row.machine_retry
    most = next(
        (n for n in (row.retry_limit, meaning.retry_limit, listed.retry_limit) if n is not None),
        None,
    )
    return CodeRow(
        rail=read.rail,
        product=product,
        code=row.code,
        text=row.text,
        text_en=row.en or row.text,
        outcome_class=row.outcome_class,
        machine_retry=again,
        retry_limit=most if again else None,
        retry_within_days=((row.retry_within_days or listed.retry_within_days) if again else None),
        wait_hours=row.wait_hours,
        finality=row.finality or listed.finality,
        action=row.action or meaning.action,
        borrower=_said(row.borrower or meaning.borrower),
        can_do=_said(row.can_do or meaning.can_do),
        source=read.sources[row.source],
    )


def _unknown(rail: str, product: str) -> CodeRow:
    meaning = _classes()[OutcomeClass.UNKNOWN_CODE]
    return CodeRow(
        rail=rail,
        product=product,
        code="",
        text="此代码不在表中",
        text_en="this code is in no list of the rail",
        outcome_class=OutcomeClass.UNKNOWN_CODE,
        machine_retry=False,
        retry_limit=None,
        retry_within_days=None,
        wait_hours=0,
        finality="none: asked again until evidence comes",
        action=meaning.action,
        borrower=_said(meaning.borrower),
        can_do=_said(meaning.can_do),
        source="no row: an unmapped code is never a failure",
    )


def _said(text: _Said) -> LocalText:
    return LocalText(zh=text.zh, en=text.en)


@cache
def _classes() -> dict[OutcomeClass, _ClassMeaning]:
    raw = _toml("classes")
    try:
        read = {OutcomeClass(name): _ClassMeaning(**item) for name, item in raw.items()}
    except (ValidationError, ValueError) as error:
        raise InvariantBroken(f"classes.toml: {error}") from None
    if missing := set(OutcomeClass) - set(read):
        raise InvariantBroken(f"classes.toml lacks {', '.join(sorted(missing))}")
    return read


@cache
def _rail_file(rail: str) -> _RailFile:
    if rail not in rails():
        raise InvalidInput("rail", rail, f"one of {', '.join(rails())}")
    read = _validated(_RailFile, rail)
    if read.rail != rail or not set(read.default) <= set(read.products):
        raise InvariantBroken(f"{rail}.toml: its rail and default lists do not fit")
    return read


def _validated(model: type[_Model], name: str) -> _Model:
    try:
        return model.model_validate(_toml(name))
    except ValidationError as error:
        raise InvariantBroken(f"{name}.toml: {error}") from None


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
