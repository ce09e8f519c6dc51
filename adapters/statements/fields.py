"""Reading single values out of ISO 20022 elements, strictly, each refusal with its field."""

import re
from datetime import date
from xml.etree.ElementTree import Element

from adapters.statements.sizes import DIGITS_MOST
from domain.errors import InvalidInput
from domain.money import parse_minor
from domain.text import PLAIN_RULE, cleaned, is_plain, visible

_DECIMAL = re.compile(r"\+?(?=[\d.])\d*\.?\d*", re.ASCII)
_SIGNED = re.compile(r"[+-]?(?=[\d.])\d*\.?\d*", re.ASCII)
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[\d:.]+)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_SIGNS = {"CRDT": 1, "DBIT": -1}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class FieldRefused(InvalidInput):
    """A value in a file that breaks a rule; `element` holds it, or is where it is missing."""

    def __init__(self, field: str, value: object, rule: str, element: Element) -> None:
        super().__init__(field, value, rule)
        self.element = element


class Fields:
    """Looks elements up by path inside one namespace. Every method raises `FieldRefused`."""

    def __init__(self, namespace: str) -> None:
        self._prefix = f"{{{namespace}}}"
        self._paths: dict[str, tuple[str, ...]] = {}

    def local(self, tag: str) -> str:
        """The name without our namespace; a name of another namespace stays as it is."""
        return tag.removeprefix(self._prefix)

    def all(self, parent: Element, name: str) -> list[Element]:
        """Every direct child of that name."""
        return parent.findall(self._prefix + name)

    def first(self, parent: Element | None, path: str) -> Element | None:
        """The first element at `A/B/C`, or None."""
        found = parent
        for step in self._steps(path):
            if found is None:
                return None
            found = found.find(step)
        return found

    def refusal(self, parent: Element, path: str, value: object, rule: str) -> FieldRefused:
        """The error for the field at `path`; it points at the deepest element that is there."""
        deepest = parent
        for step in self._steps(path):
            found = deepest.find(step)
            if found is None:
                break
            deepest = found
        return FieldRefused(self._name(parent, path), value, rule, deepest)

    def text(self, parent: Element | None, path: str, most: int = 140) -> str | None:
        """Text on one line, None where absent or blank; longer than `most` is refused.

        Line breaks and other control characters inside become one space: an entry is evidence and
        is not refused for the shape of a reference. For ids that must be exact see `needed`.
        """
        found = self.first(parent, path)
        if found is None or parent is None:
            return None
        text = cleaned(found.text or "")
        if len(text) > most:
            raise self.refusal(parent, path, text[:most], f"at most {most} characters")
        return text or None

    def named(self, parent: Element, path: str, most: int = 140) -> str | None:
        """An id, trimmed, None where absent or blank; refused with a control character inside."""
        found = self.first(parent, path)
        text = "" if found is None else (found.text or "").strip()
        if not is_plain(text):
            raise self.refusal(parent, path, visible(text), PLAIN_RULE)
        return self.text(parent, path, most)

    def needed(self, parent: Element, path: str, most: int = 140) -> str:
        """As `named`, but it must be there."""
        text = self.named(parent, path, most)
        if text is None:
            raise self.refusal(parent, path, "", "must be given")
        return text

    def amount(self, parent: Element | None, path: str) -> tuple[int, str] | None:
        """Minor units, not negative, and the currency; None where the element is absent.

        More decimals than the currency has pass only when the surplus digits are zero.
        """
        found = self.first(parent, path)
        if found is None or parent is None:
            return None
        currency = found.get("Ccy", "")
        return self._minor(parent, path, found, currency), currency

    def sum(self, parent: Element | None, path: str, currency: str) -> int | None:
        """Minor units of `currency` of an amount that names no currency itself, and may be signed.

        The schema calls totals decimal numbers, not amounts; some banks write -5.00 beside DBIT.
        """
        found = self.first(parent, path)
        if found is None or parent is None:
            return None
        return self._minor(parent, path, found, currency, signed=True)

    def sign(self, parent: Element) -> int | None:
        """+1 for CRDT, -1 for DBIT, None where the indicator is absent.

        The indicator is the direction as booked. A reversal flag does not turn it round: a reversed
        debit *is* a credit entry.
        """
        text = self.text(parent, "CdtDbtInd", 35)
        if text is None:
            return None
        if text not in _SIGNS:
            raise self.refusal(parent, "CdtDbtInd", text, "CRDT or DBIT")
        return _SIGNS[text]

    def day(self, parent: Element | None, path: str) -> date | None:
        """The day of a `Dt` or `DtTm` choice, as the bank writes it, whatever its time zone."""
        return self.day_of(parent, f"{path}/Dt") or self.day_of(parent, f"{path}/DtTm")

    def day_of(self, parent: Element | None, path: str) -> date | None:
        """The day of a plain date or date-time element."""
        text = self.text(parent, path, 40)
        if text is None or parent is None:
            return None
        match = _DAY.fullmatch(text)
        try:
            if match is not None:
                return date.fromisoformat(match[1])
        except ValueError:
            pass
        raise self.refusal(parent, path, text, "a date that exists, as YYYY-MM-DD")

    def flag(self, parent: Element, path: str) -> bool | None:
        """An XML boolean, None where absent."""
        text = self.text(parent, path, 35)
        if text is None:
            return None
        if text not in _FLAGS:
            raise self.refusal(parent, path, text, "true or false")
        return _FLAGS[text]

    def number(self, parent: Element | None, path: str) -> int | None:
        """A whole number that is not negative, None where absent."""
        text = self.text(parent, path, 35)
        if text is None or parent is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > DIGITS_MOST:
            rule = f"a whole number of at most {DIGITS_MOST} digits"
            raise self.refusal(parent, path, text, rule)
        return int(text)

    def _minor(
        self, parent: Element, path: str, found: Element, currency: str, *, signed: bool = False
    ) -> int:
        text = (found.text or "").strip()
        digits = sum(character.isdigit() for character in text)
        form = _SIGNED if signed else _DECIMAL
        if not form.fullmatch(text) or not 0 < digits <= DIGITS_MOST:
            rule = f"a decimal{'' if signed else ' without sign'}, at most {DIGITS_MOST} digits"
            raise self.refusal(parent, path, text[:_SHOWN], rule)
        try:
            return parse_minor(text, currency, self._name(parent, path))
        except InvalidInput as error:
            name = self._name(parent, path)
            name = f"{name}/@Ccy" if error.field == "currency" else name
            raise FieldRefused(name, error.value, error.rule, found) from None

    def _steps(self, path: str) -> tuple[str, ...]:
        steps = self._paths.get(path)
        if steps is None:
            steps = tuple(self._prefix + step for step in path.split("/"))
            self._paths[path] = steps
        return steps

    def _name(self, parent: Element, path: str) -> str:
        return f"{self.local(parent.tag)}/{path}"


_SHOWN = 40
