"""The gate: secrets and personal data in, masks out; what serves to understand stays readable."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from adapters.telemetry.keys import sort_of
from adapters.telemetry.redaction import ITEMS_MOST, TEXT_MOST, Redactor
from domain.errors import InvalidInput
from tests.adapters.telemetry import canaries
from tests.adapters.telemetry.canaries import (
    ACCOUNT,
    CARD,
    DB_PASSWORD,
    EMAIL,
    IBAN,
    IDENTITY,
    NAME,
    NAME_CN,
    PHONE,
    SECRET,
    found_in,
)  # fmt: skip

GATE = Redactor([SECRET, DB_PASSWORD])


@pytest.mark.parametrize("value", canaries.SHAPED.values(), ids=canaries.SHAPED.keys())
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "call {} now",
        "loan L-1:{}.",
        "[{}]",
        "x={};y",
        "客户{}已还款",
        "<{}>",
        "a\n{}\nb",
        '"{}"',
    ],
)
def test_what_has_a_shape_is_masked_wherever_it_stands(text: str, value: str) -> None:
    """Between words, brackets, letters of another alphabet, alone."""
    assert found_in(GATE.text(text.format(value))) == set()


@pytest.mark.parametrize(
    "key",
    [
        "password", "smtp_password", "apiKey", "API-KEY", "X-Api-Secret", "webhook_secret", "token",
        "access_token", "Authorization", "Set-Cookie", "private_key", "signature", "pin", "密码",
    ],
)  # fmt: skip
def test_secret_is_known_by_the_name_of_its_field(key: str) -> None:
    """However the name is spelled, and also inside a text."""
    assert sort_of(key) == "secret"
    assert GATE.value("hunter2", key) == "[secret]"
    assert "hunter2" not in GATE.text(f"{key}='hunter2', retry")
    assert "hunter2" not in GATE.text(f'{{"{key}": "hunter2"}}')


@pytest.mark.parametrize(
    "key",
    [
        "name", "holder", "accountHolder", "debtor_name", "borrower", "payer", "phone_number",
        "mobile", "e-mail", "iban", "card_no", "id_card", "account", "to", "contact", "address",
        "loan.borrower.name", "姓名", "手机号", "开户行账号",
    ],
)  # fmt: skip
def test_person_is_known_by_the_name_of_the_field(key: str) -> None:
    """Names have no shape: the field tells."""
    assert sort_of(key) == "personal"
    assert GATE.value(NAME, key) == "[masked]"
    assert found_in(GATE.text(f"{key}: {NAME}, {key}={NAME_CN}; {key}: '{NAME}'")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "action remind:3 of loan LC00001 failed: rail simbank is away",
        "workflow installment/sample/LC00001/3/1 at 2026-11-22T08:18:36.123456Z",
        "run 019a8f3e-5d2c-7c1b-9d55-446655440000 attempt 3",
        "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "amount 123456.78 CNY due 2026-12-01, 24 events, 4 tasks, port 127.0.0.1:7233",
        "adapters/sql/write/writer.py:91 _transact",
    ],
)
def test_what_serves_to_understand_stays(text: str) -> None:
    """Ids, instants, amounts, addresses of servers, places in the code."""
    assert GATE.text(text) == text


def test_number_that_we_gave_stays_readable_under_its_own_name() -> None:
    """A loan may have a number of many digits; a telephone number is masked even there."""
    assert GATE.value("installment/s/1234567890/3/1", "workflow_id") == (
        "installment/s/1234567890/3/1"
    )
    assert GATE.value("1234567890", "note") == "[number]"
    assert GATE.value(PHONE, "loan_id") == "[phone]"
    assert GATE.value(int(PHONE), "count") == "[masked]"
    assert GATE.value(12345, "amount_minor") == 12345


def test_texts_of_libraries_lose_the_values_that_they_quote() -> None:
    """SQLAlchemy's parameters, pydantic's input, PostgreSQL's keys and rows, addresses, headers."""
    said = [
        f"[SQL: INSERT INTO x VALUES (?)]\n[parameters: ('{NAME}', ['a', '{SECRET}'])]",
        f"DETAIL: Key (holder)=({NAME}) already exists.",
        f"DETAIL: Failing row contains (1, {NAME}, {PHONE}).",
        f"postgresql+asyncpg://acquit:{DB_PASSWORD}@db:5432/books",
        "Authorization: Bearer abcdef.ghijkl",
        "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
    ]
    text = GATE.text("\n".join(said[1:])) + GATE.text(said[0])
    assert found_in(text) == set()
    for left in ("abcdef", "eyJhbG", "MIIabc", "ghijkl"):
        assert left not in text
    assert "INSERT INTO x" in text
    assert "db:5432/books" in text


class Payee(BaseModel):
    """A wire model that refuses everything."""

    holder: int
    api: SecretStr


class Colour(Enum):
    """An enum in an event."""

    RED = "red"


@dataclass(frozen=True)
class Contact:
    """What somebody may log by mistake: an object with a person in it."""

    name: str
    lines: tuple[str, ...]
    hidden: str = field(default=SECRET, repr=False)


def test_errors_are_reported_with_their_causes_and_without_what_they_quote() -> None:
    """Our own refusal, pydantic's, a KeyError with a name: type and place stay, values go."""
    try:
        try:
            Payee.model_validate({"holder": NAME, "api": SECRET})
        except ValidationError as error:
            raise InvalidInput("holder", NAME, "a number") from error
    except InvalidInput as error:
        reported = GATE.error(error)
        text = GATE.trace(error)
    assert found_in(repr(reported)) == found_in(text) == set()
    assert reported["type"] == "InvalidInput"
    assert "is refused: a number" in str(reported["message"])
    assert "ValidationError" in text
    assert "test_errors_are_reported" in text
    for fault in (KeyError(NAME_CN), ValueError(f"could not read {NAME!r}"), OSError(2, EMAIL)):
        assert found_in(GATE.trace(fault)) == set()


async def test_groups_of_errors_and_errors_without_text_are_reported() -> None:
    """Task groups raise groups; an error whose own text fails is reported all the same."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    async def fall() -> None:
        raise ValueError(f"holder={NAME}")

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as group:
            group.create_task(fall())
    reported = GATE.error(caught.value)
    assert found_in(repr(reported)) == set()
    assert "ValueError" in repr(reported["among"])
    assert GATE.error(Mute())["message"] == "[unprintable]"


def test_objects_are_opened_and_masked_field_by_field() -> None:
    """Data classes, mappings, sequences, bytes, instants; hidden fields stay hidden."""
    reported = GATE.value(
        {
            "who": Contact(NAME, (PHONE, EMAIL)),
            PHONE: "as a key",
            "deep": [[{"iban": IBAN, "n": (CARD, IDENTITY, ACCOUNT)}]],
            "raw": NAME.encode(),
            "at": datetime(2026, 1, 2, tzinfo=UTC),
            "sum": Decimal("1.50"),
            "colour": Colour.RED,
            "settings": SecretStr(SECRET),
            "fault": ValueError(EMAIL),
        }
    )
    assert found_in(repr(reported)) == set()
    assert isinstance(reported, dict)
    assert reported["at"] == "2026-01-02T00:00:00+00:00"
    assert (reported["sum"], reported["colour"]) == ("1.50", "red")
    assert reported["raw"] == f"[{len(NAME)} bytes]"


def test_sizes_are_bounded() -> None:
    """Long texts, wide mappings, deep nests and circles end."""
    assert len(GATE.text("ab " * 100_000)) <= TEXT_MOST + 1
    wide = GATE.mapping({f"k{index}": index for index in range(500)})
    assert len(wide) == ITEMS_MOST + 1
    circle: dict[str, object] = {}
    circle["again"] = circle
    assert len(repr(GATE.value(circle))) < 2 * TEXT_MOST
    assert len(GATE.text("'" * 50_000)) <= TEXT_MOST + 1


def test_an_object_that_cannot_be_printed_breaks_nothing() -> None:
    """A log line never fails what it tells of."""

    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    assert GATE.value(Broken(), "x") == "[unprintable: RuntimeError]"


@given(st.text(max_size=300))
def test_any_text_passes_and_is_masked_for_good(text: str) -> None:
    """Nothing makes the gate fail, and canaries around any text do not get through."""
    reported = GATE.text(f"{EMAIL} {text} {SECRET}")
    assert SECRET not in reported
    assert EMAIL not in reported
