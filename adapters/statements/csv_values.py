"""Single cells of a table as the map says that they are written."""

import re
from datetime import date, datetime
from decimal import Decimal

from adapters.statements.csv_map import Dates, Numbers
from adapters.statements.sizes import DIGITS_MOST
from domain.errors import InvalidInput
from domain.money import MINOR_MAX, exponent, parse_minor, round_minor
from domain.text import cleaned

_FORMULA = re.compile(r'="(.*)"')
_BLANK = " \t\u3000\xa0"


def cell_text(cell: str, take_off: str) -> str:
    """A cell without what surrounds it: blanks, a back-tick, `="..."` of a spreadsheet."""
    text = cell.strip(_BLANK)
    formula = _FORMULA.fullmatch(text)
    text = text if formula is None else formula[1]
    return text.lstrip(take_off + _BLANK) if take_off else text


class Amounts:
    """Reads amounts of one map.

    Raises:
        InvalidInput: names the column, what stands there, and the form that is expected.
    """

    def __init__(self, rules: Numbers) -> None:
        self._rules = rules
        mark, group = re.escape(rules.decimal), re.escape(rules.thousands)
        whole = rf"(?:\d{{1,3}}(?:{group}\d{{3}})+|\d+)" if group else r"\d+"
        self._form = re.compile(rf"[+-]?(?:{whole}(?:{mark}\d*)?|{mark}\d+)-?", re.ASCII)

    def bare(self, text: str) -> str:
        """The amount without symbols of currencies and blanks around it."""
        return text.strip(self._rules.symbols + _BLANK)

    def minor(self, text: str, currency: str, field: str) -> int:
        """Signed minor units; a minus may stand before or behind."""
        bare = self.bare(text)
        digits = sum(character.isdigit() for character in bare)
        signed_twice = bare[:1] in {"+", "-"} and bare.endswith("-")
        if not self._form.fullmatch(bare) or digits > DIGITS_MOST or signed_twice:
            mark, group = self._rules.decimal, self._rules.thousands
            rule = f"an amount with the decimal mark {mark!r}"
            rule += (
                f" and {group!r} between thousands" if group else " and no mark between thousands"
            )
            raise InvalidInput(field, text, rule)
        plain = bare.replace(self._rules.thousands, "") if self._rules.thousands else bare
        plain = plain.replace(self._rules.decimal, ".")
        if plain.endswith("-"):
            plain = f"-{plain[:-1]}"
        rounding = self._rules.rounding
        if rounding is None:
            return parse_minor(plain, currency, field)
        minor = round_minor(Decimal(plain) * 10 ** exponent(currency), rounding)
        if abs(minor) > MINOR_MAX:
            raise InvalidInput(field, text, f"at most {MINOR_MAX} minor units")
        return minor


def day_in(text: str, rules: Dates, field: str) -> date:
    """A day in one of the map's formats.

    Raises:
        InvalidInput: none fits, or the day does not exist.
    """
    for form in rules.formats:
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007  (a day, no instant)
        except ValueError:
            continue
    raise InvalidInput(field, cleaned(text), f"a date that exists, as {' or '.join(rules.formats)}")
