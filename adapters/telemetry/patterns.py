"""What secrets and personal data look like inside a text, and what stands there afterwards.

A person's name has no shape. It is found where it is the value of a field (`holder='...'`) or is
quoted and no plain word; a name in the middle of a sentence is not found, so no sentence may hold
one. Everything with a shape is found anywhere.
"""

import re
from typing import Final

from adapters.telemetry.keys import sort_of

MASK: Final = "[masked]"
SECRET: Final = "[secret]"  # noqa: S105  (what is written in its place)

_KEYED = re.compile(r"""(["']?)([^\W\d][\w.-]{0,60})\1\s{0,3}(?:=|[:\uff1a])\s{0,3}""")
_HELD = re.compile(
    r""""(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|\{[^}]*\}?|\[[^\]]*\]?|[^,;&)\]}\n]{1,200}"""
)
_QUOTED = re.compile(r"""(?<!\w)(["'])([^"'\n]{1,200})\1(?!\w)""")
_PLAIN = re.compile(r"[\w./:+*?<>=\[\]{}()|#@%-]*", re.ASCII)

_WHOLE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|\Z)", re.DOTALL), SECRET),
    (re.compile(r"(://)[^\s/@:]*:[^\s/@]*@"), rf"\1{SECRET}@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {SECRET}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"), SECRET),
    (re.compile(r"\bwhsec_[\w+/=-]+"), SECRET),
    # Values that libraries append to their messages: SQLAlchemy, pydantic, PostgreSQL.
    (re.compile(r"\[parameters: .*?(?=\n\(Background|\Z)", re.DOTALL), "[parameters left out]"),
    (re.compile(r"input_value=.*?(?=, input_type=|\]|\Z)", re.DOTALL), f"input_value={MASK}"),
    (re.compile(r"(Key \([^)]*\)=)\(.*?\)(?= |\.|$)"), rf"\1({MASK})"),
    (re.compile(r"(Failing row contains) \(.*?\)(?=\.|$)"), rf"\1 ({MASK})"),
    (re.compile(r"[^\s@<>\"'(),;:=\[\]]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "[e-mail]"),
    (re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", re.ASCII), "[identity]"),
    (re.compile(r"(?<![A-Za-z0-9])\d{17}[\dXx](?![A-Za-z0-9])"), "[identity]"),
    (re.compile(r"(?<!\w)(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?!\w)", re.ASCII), "[phone]"),
)
# Boundaries are those of Latin words: numbers also stand right between Chinese characters.
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9_])"
)
_NUMBER = re.compile(
    r"""(?P<kept>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?<!\d)\d{4}-\d{2}-\d{2}(?!\d))
    |(?<![\w.])(?P<run>\+?\(?\d[\d ()\-]{6,32}\d)(?!\w)""",
    re.VERBOSE | re.ASCII,
)
# Digits as Chinese keyboards also write them.
_WIDE = {0xFF10 + digit: str(digit) for digit in range(10)}
_MOBILE = re.compile(r"(?:00|\+)?(?:86)?1[3-9]\d{9}")
_LONG_RUN = 9
_SPACED = 13
_LAST_REMAINDER = 97


def masked(text: str, *, identifier: bool = False) -> str:
    """`text` without secrets and personal data; an identifier keeps digits that look like none."""
    text = _numbers(text.translate(_WIDE), identifier=identifier)
    for pattern, instead in _WHOLE:
        text = pattern.sub(instead, text)
    text = _IBAN.sub(_iban, text)
    return _QUOTED.sub(_quoted, _fields(text))


def _fields(text: str) -> str:
    """Mask the values of fields with telling names: `phone=...`, `"secret": "..."`, `holder: x`."""
    parts: list[str] = []
    at = 0
    for found in _KEYED.finditer(text):
        sort = sort_of(found[2])
        if sort == "open" or found.start() < at:
            continue
        value = _HELD.match(text, found.end())
        if value is None:
            continue
        parts += [text[at : found.end()], SECRET if sort == "secret" else MASK]
        at = value.end()
    return "".join([*parts, text[at:]])


def _quoted(found: re.Match[str]) -> str:
    """Quoted words of any other alphabet, or several: input that somebody sent, perhaps a name."""
    inside = found[2]
    return found[0] if _PLAIN.fullmatch(inside) else f"{found[1]}{MASK}{found[1]}"


def _iban(found: re.Match[str]) -> str:
    text = found[0].replace(" ", "")
    turned = "".join(str(int(letter, 36)) for letter in text[4:] + text[:4])
    proven = int(turned) % _LAST_REMAINDER == 1
    return "[account]" if proven or text[4:].isdigit() else found[0]


def _numbers(text: str, *, identifier: bool) -> str:
    def instead(found: re.Match[str]) -> str:
        run = found["run"]
        return found[0] if run is None else _number(run, identifier=identifier)

    return _NUMBER.sub(instead, text)


def _number(run: str, *, identifier: bool) -> str:
    digits = "".join(letter for letter in run if letter.isdigit())
    unbroken = len(digits) == len(run.lstrip("+"))
    if _MOBILE.fullmatch(digits) or (run.startswith("+") and len(digits) >= 8):
        return "[phone]"
    if len(digits) == 18 and unbroken:
        return "[identity]"
    if 13 <= len(digits) <= 19 and _luhn(digits):
        return "[card]"
    if not identifier and len(digits) >= (_LONG_RUN if unbroken else _SPACED):
        return "[number]"
    return run


def _luhn(digits: str) -> bool:
    """The check digit of payment cards, ISO/IEC 7812-1."""
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    total = sum(int(digit) for digit in digits[-1::-2])
    return (total + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0
