"""Reading single values out of ISO 20022 elements, strictly, each refusal with its field."""

import re
from datetime import date
from xml.etree.ElementTree import Element

from domain.errors import InvalidInput
from domain.money import parse_minor

_DECIMAL = re.compile(r"\+?(?=[\d.])\d*\.?\d*", re.ASCII)
_DIGITS_MOST = 18
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[\d:.]+)?(?:Z|[+-]\d{2}:\d{2})?", re.ASCII)
_SIGNS = {"CRDT": 1, "DBIT": -1}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


class Fields:
    """Looks elements up by path inside one namespace. Every method raises `InvalidInput`."""

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
        steps = self._paths.get(path)
        if steps is None:
            steps = tuple(self._prefix + step for step in path.split("/"))
            self._paths[path] = steps
        found = parent
        for step in steps:
            if found is None:
                return None
            found = found.find(step)
        return found

    def text(self, parent: Element | None, path: str, most: int = 140) -> str | None:
        """Trimmed text, None where absent or blank; longer than `most` is refused."""
        found = self.first(parent, path)
        text = (found.text or "").strip() if found is not None else ""
        if len(text) > most:
            raise InvalidInput(path, text[:most], f"at most {most} characters")
        return text or None

    def needed(self, parent: Element, path: str, most: int = 140) -> str:
        """As `text`, but it must be there."""
        text = self.text(parent, path, most)
        if text is None:
            raise InvalidInput(self._name(parent, path), "", "must be given")
        return text

    def amount(self, parent: Element | None, path: str) -> tuple[int, str] | None:
        """Minor units, not negative, and the currency; None where the element is absent.

        More decimals than the currency has pass only when the surplus digits are zero.
        """
        found = self.first(parent, path)
        if found is None or parent is None:
            return None
        name = self._name(parent, path)
        currency = found.get("Ccy", "")
        text = (found.text or "").strip()
        digits = sum(character.isdigit() for character in text)
        if not _DECIMAL.fullmatch(text) or not 0 < digits <= _DIGITS_MOST:
            rule = f"a decimal without sign, at most {_DIGITS_MOST} digits"
            raise InvalidInput(name, text[:_SHOWN], rule)
        return parse_minor(text, currency, name), currency

    def sign(self, parent: Element) -> int | None:
        """+1 for CRDT, -1 for DBIT, None where the indicator is absent.

        The indicator is the direction as booked. A reversal flag does not turn it round: a reversed
        debit *is* a credit entry.
        """
        text = self.text(parent, "CdtDbtInd", 35)
        if text is None:
            return None
        if text not in _SIGNS:
            raise InvalidInput(self._name(parent, "CdtDbtInd"), text, "CRDT or DBIT")
        return _SIGNS[text]

    def day(self, parent: Element | None, path: str) -> date | None:
        """The day of a `Dt` or `DtTm` choice, as the bank writes it, whatever its time zone."""
        text = self.text(parent, f"{path}/Dt", 40) or self.text(parent, f"{path}/DtTm", 40)
        if text is None:
            return None
        return self._date(text, path)

    def day_of(self, parent: Element | None, path: str) -> date | None:
        """The day of a plain date or date-time element."""
        text = self.text(parent, path, 40)
        return None if text is None else self._date(text, path)

    def flag(self, parent: Element, path: str) -> bool | None:
        """An XML boolean, None where absent."""
        text = self.text(parent, path, 35)
        if text is None:
            return None
        if text not in _FLAGS:
            raise InvalidInput(self._name(parent, path), text, "true or false")
        return _FLAGS[text]

    def number(self, parent: Element | None, path: str) -> int | None:
        """A whole number that is not negative, None where absent."""
        text = self.text(parent, path, 35)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS_MOST:
            raise InvalidInput(path, text, f"a whole number of at most {_DIGITS_MOST} digits")
        return int(text)

    def _date(self, text: str, path: str) -> date:
        match = _DAY.fullmatch(text)
        try:
            if match is not None:
                return date.fromisoformat(match[1])
        except ValueError:
            pass
        raise InvalidInput(path, text, "a date that exists, as YYYY-MM-DD")

    def _name(self, parent: Element, path: str) -> str:
        return f"{self.local(parent.tag)}/{path}"


_SHOWN = 40
