"""What stands in `:86:`: the German codes (`?20`), the slash codes (`/EREF/`), or free text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from adapters.statements.sizes import TEXT_KEPT
from domain.statement.identity import REFERENCE_MOST, given, one_word
from domain.statement.statement import Party
from domain.text import cleaned

_FULL = 27
"""Characters of a German subfield: a value that is longer goes on in the next one."""
_GERMAN = re.compile(r"(\d{3})([^0-9A-Za-z\s])(?=\d\d)")
_KEYS = ("EREF", "KREF", "MREF", "CRED", "DEBT", "COAM", "OAMT", "SVWZ", "ABWA", "ABWE", "RREF")
_KEYWORD = re.compile(rf"(?:^|(?<=\s))({'|'.join(_KEYS)}|RTRN|IBAN|BIC)\+")
_PURPOSE = frozenset((*(f"{n}" for n in range(20, 30)), *(f"{n}" for n in range(60, 64))))
_CODES = (
    "TRTP|IBAN|BIC|NAME|REMI|EREF|MARF|CSID|CNTP|PREF|PURP|RTRN|TRCD|ISDT|ULTC|ULTD|ORDP|BENM"
    "|OCMT|CHGS|NRTX|SVCL|INIT|ADDR|KREF|ID|BUSP|PDAT|ORDR"
)
_SLASH = re.compile(rf"/({_CODES})/")
_BATCH_CODES = range(190, 200)
"""German transaction codes of bookings that stand for many payments."""
_RETURN_CODES = frozenset({"108", "109", "159", "181", "182", "183", "184"})
# Return reasons as numbers (subfield 34) that are known beyond doubt; others stay numbers.
_REASONS = {"901": "AC01", "903": "AC06", "912": "MD06", "914": "MS03"}
_COUNT_MOST = 9


@dataclass(slots=True)
class Details:
    """What the text of an entry says; amounts as printed.

    Attributes:
        batch_ref: the customer's reference of a file or batch; `is_batch` says that the entry
            stands for a whole one, `batch_count` for how many.
        original, charges: amounts of a returned payment before charges, and the charges.
    """

    text: str = ""
    end_to_end_id: str | None = None
    mandate_ref: str | None = None
    batch_ref: str | None = None
    is_batch: bool = False
    batch_count: int | None = None
    return_reason: str | None = None
    remittance: tuple[str, ...] = ()
    original: str | None = None
    charges: str | None = None
    code: str = ""
    name: str = ""
    account: str = ""
    bank: str = ""
    other_refs: list[tuple[str, str]] = field(default_factory=list)

    @property
    def counterparty(self) -> Party | None:
        """Whom the text names on the other side."""
        parts = (cleaned(part)[:REFERENCE_MOST] or None for part in self._named)
        party = Party(*parts)
        return party if party != Party() else None

    @property
    def _named(self) -> tuple[str, str, str]:
        return (self.name, self.account, self.bank)


def details(lines: Sequence[str]) -> Details:
    """Read the lines of one `:86:`; what is not understood stays text."""
    if not lines:
        return Details()
    if (german := _GERMAN.match(lines[0])) is not None:
        return _german(german[1], "".join(lines)[german.end() :], german[2])
    joined = "".join(lines)
    if _SLASH.search(joined) is not None:
        return _slashed(joined)
    text = cleaned(" ".join(lines))
    return Details(text=text[:TEXT_KEPT], remittance=_words([text]))


def _german(code: str, text: str, mark: str) -> Details:
    """`159?00RETOURE?20EREF+...`: the number of the transaction, then subfields of two digits."""
    found = Details(code=code)
    parts = re.split(rf"{re.escape(mark)}(?=\d\d)", text)
    subfields = [(part[:2], part[2:]) for part in parts]
    values = _keywords([value for number, value in subfields if number in _PURPOSE])
    held: dict[str, list[str]] = {}
    for number, value in subfields:
        held.setdefault(number, []).append(value)
    found.end_to_end_id = _reference(values.get("EREF"))
    found.mandate_ref = _reference(values.get("MREF"))
    found.batch_ref = _reference(values.get("KREF"))
    found.original, found.charges = values.get("OAMT"), values.get("COAM")
    found.is_batch = int(code) in _BATCH_CODES
    found.name = _joined((*held.get("32", ()), *held.get("33", ())))
    found.bank = "".join(held.get("30", ())) or values.get("BIC", "")
    found.account = "".join((*held.get("31", ()), *held.get("38", ()))) or values.get("IBAN", "")
    found.other_refs = [
        (key, values[key].strip()) for key in ("CRED", "DEBT", "RREF") if key in values
    ]
    found.return_reason = _german_reason(code, values, "".join(held.get("34", ())))
    purpose = values.get("SVWZ", "") or values.get("", "")
    booking = "".join(held.get("00", ()))
    found.remittance = _words([purpose])
    found.text = cleaned(f"{purpose} {booking}")[:TEXT_KEPT]
    return found


def _joined(subfields: Sequence[str]) -> str:
    """Subfields as one text: a full one goes on in the next, a shorter one ends a line."""
    return "".join(part if len(part) >= _FULL else f"{part} " for part in subfields)


def _german_reason(code: str, values: dict[str, str], number: str) -> str | None:
    stated = _reference(values.get("RTRN"))
    if stated is None and code not in _RETURN_CODES:
        return None
    return stated or _REASONS.get(number, number) or "UNSTATED"


def _keywords(subfields: Sequence[str]) -> dict[str, str]:
    """Values by their keyword; what stands before any has the keyword "".

    A value goes on in the next subfield where its own is full, a purpose in any case.
    """
    values: dict[str, str] = {}
    key = ""
    for text in subfields:
        starts = [(match.start(), match.end(), match[1]) for match in _KEYWORD.finditer(text)]
        before = text[: starts[0][0]] if starts else text
        if before:
            values[key] = values.get(key, "") + before
        for place, (_, end, name) in enumerate(starts):
            stop = starts[place + 1][0] if place + 1 < len(starts) else len(text)
            key = name
            values[key] = values.get(key, "") + text[end:stop]
        if len(text) < _FULL and key not in {"", "SVWZ"}:
            key = ""
        elif len(text) < _FULL:
            values[key] = values.get(key, "") + " "
    return values


def _slashed(text: str) -> Details:
    """`/EREF/.../MARF/.../CNTP/IBAN/BIC/NAME/CITY//REMI/USTD//...`, as in the Netherlands."""
    parts = _SLASH.split(text)
    values: dict[str, str] = {}
    for code, value in zip(parts[1::2], parts[2::2], strict=True):
        values.setdefault(code, value.strip().rstrip("/").strip())
    found = Details(code=values.get("TRCD", ""))
    found.end_to_end_id = _reference(values.get("EREF"))
    found.mandate_ref = _reference(values.get("MARF"))
    found.batch_ref = _reference(values.get("PREF") or values.get("KREF"))
    count = values.get("NRTX", "")
    if count.isascii() and count.isdigit() and len(count) <= _COUNT_MOST:
        found.batch_count = int(count)
    other_side = values.keys() & {"EREF", "CNTP", "IBAN", "NAME"}
    found.is_batch = found.batch_count is not None or (
        found.batch_ref is not None and not other_side
    )
    if "RTRN" in values:
        found.return_reason = _reference(values["RTRN"].partition("/")[0]) or "UNSTATED"
    found.original, found.charges = values.get("OCMT"), values.get("CHGS")
    account, bank, name, *_ = (*values.get("CNTP", "").split("/"), "", "", "")
    found.account = values.get("IBAN") or account
    found.bank = values.get("BIC") or bank
    found.name = values.get("NAME") or name
    found.other_refs = [("CSID", values["CSID"])] if values.get("CSID") else []
    structured, free = _remittance(values.get("REMI", ""))
    found.remittance = (*structured, *_words([free]))
    shown = (free, *structured, values.get("TRTP", ""), parts[0])
    found.text = cleaned(" ".join(shown))[:TEXT_KEPT]
    return found


def _remittance(text: str) -> tuple[tuple[str, ...], str]:
    """A structured reference (`STRD/CUR/9999`) and a free text (`USTD//text`, or all of it)."""
    kind, _, rest = text.lstrip("/").partition("/")
    if kind == "USTD":
        return (), cleaned(rest.lstrip("/"))
    if kind == "STRD":
        reference = _reference(rest.rpartition("/")[2])
        return (() if reference is None else (reference,)), ""
    return (), cleaned(text)


def _reference(text: str | None) -> str | None:
    return given(cleaned(text or "")[:REFERENCE_MOST] or None)


def _words(texts: Sequence[str]) -> tuple[str, ...]:
    """The texts that are one word, which may be a reference."""
    return tuple(word for text in texts if (word := one_word(text)) is not None)
