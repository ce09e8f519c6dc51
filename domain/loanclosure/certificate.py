"""A certificate of settlement: what it says, as the text that is signed, and its code."""

import base64
import json
from dataclasses import dataclass, fields
from datetime import date, datetime
from hashlib import sha256

from domain.errors import InvalidInput

TITLE = "acquit certificate of settlement"
TEXT_MOST = 4_096
"""Longest signed text, in characters."""
_CODE_LETTERS = 20


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a certificate says. Amounts in minor units; borrower and loan as the books name them.

    Attributes:
        settled_on: the value date at which nothing was owed any more.
        generation: of the closure that gave it out.
        issuer: who gives it out, as the borrower knows them.
        language: in which it is printed.
    """

    loan_id: str
    borrower: str
    currency: str
    principal_minor: int
    installments: int
    disbursed_on: date
    settled_on: date
    generation: int
    issuer: str
    issued_on: date
    language: str

    def text(self) -> str:
        """The text that is signed: JSON with sorted names, no spaces, ASCII only."""
        held = {item.name: getattr(self, item.name) for item in fields(self)}
        plain = {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in held.items()
        }
        return json.dumps({"type": TITLE, "version": 1, **plain}, sort_keys=True,
                          separators=(",", ":"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as it was given out. `key` and `signature` are Ed25519, hexadecimal.

    `revoked_at`: since when it is not true any more, and `why` that is so.
    """

    generation: int
    text: str
    key: str
    signature: str
    issued_at: datetime
    revoked_at: datetime | None = None
    why: str = ""

    @property
    def code(self) -> str:
        """Its verification code."""
        return code_of(self.text)


def code_of(text: str) -> str:
    """The verification code of a signed text: five groups of four letters and digits."""
    letters = base64.b32encode(sha256(text.encode()).digest()).decode()[:_CODE_LETTERS]
    return "-".join(letters[at : at + 4] for at in range(0, _CODE_LETTERS, 4))


def read_settlement(text: str) -> Settlement:
    """What a signed text says.

    Raises:
        InvalidInput: it is none of ours; names the field that is wrong.
    """
    try:
        held = json.loads(text) if len(text) <= TEXT_MOST else None
    except ValueError:
        held = None
    if not isinstance(held, dict) or held.pop("type", "") != TITLE or held.pop("version", 0) != 1:
        raise InvalidInput("certificate", "(not shown)", "a certificate of settlement, version 1")
    found: dict[str, object] = {}
    for item in fields(Settlement):
        found[item.name] = _read(item.name, held.get(item.name))
    settlement = Settlement(**found)  # type: ignore[arg-type]
    if settlement.text() != text:
        raise InvalidInput("certificate", "(not shown)", "exactly the fields of its version")
    return settlement


_DATES = frozenset({"disbursed_on", "settled_on", "issued_on"})
_NUMBERS = frozenset({"principal_minor", "installments", "generation"})


def _read(name: str, value: object) -> object:
    try:
        if name in _DATES and isinstance(value, str):
            return date.fromisoformat(value)
    except ValueError:
        value = None
    wanted = int if name in _NUMBERS else str
    if name in _DATES or type(value) is not wanted:
        raise InvalidInput(name, "(not shown)", "as the version of the certificate has it")
    return value
