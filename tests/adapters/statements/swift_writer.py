"""A small MT940 writer for tests, made from the format's description and not from the reader."""

from domain.money import decimal_text
from domain.statement.statement import LineItem, Statement, StatementLine

WIDTH = 27


def message(statement: Statement, reference: str = "STARTUMS", info: str = "") -> str:
    """One message: German structured details, a page number, both balances."""
    day = statement.booked_on
    assert day is not None
    opens = "60F" if statement.page == 1 else "60M"
    closes = "62F" if statement.is_last_page else "62M"
    head = [
        f":20:{reference}",
        f":25:{statement.account}",
        f":28C:{statement.sequence or 0:05d}/{statement.page:05d}",
        f":{opens}:{balance(statement, statement.opening_minor)}",
    ]
    entries = [text for line in statement.lines for text in entry(line)]
    tail = [f":{closes}:{balance(statement, statement.closing_minor)}", *([info] if info else [])]
    return "\r\n".join([*head, *entries, *tail, "-"]) + "\r\n"


def balance(statement: Statement, minor: int | None) -> str:
    """Mark, day, currency, amount."""
    assert minor is not None
    assert statement.booked_on is not None
    mark = "D" if minor < 0 else "C"
    amount = printed(abs(minor), statement.currency)
    return f"{mark}{statement.booked_on:%y%m%d}{statement.currency}{amount}"


def printed(minor: int, currency: str) -> str:
    """An amount with a comma, which stands there even without decimals."""
    text = decimal_text(minor, currency).replace(".", ",")
    return text if "," in text else f"{text},"


def entry(line: StatementLine) -> list[str]:
    """`:61:` and `:86:` of a line with at most one item."""
    mark = "D" if line.amount_minor < 0 else "C"
    if line.reversal:
        mark = {"D": "RC", "C": "RD"}[mark]
    amount = printed(abs(line.amount_minor), line.currency)
    bank = f"//{line.servicer_ref}" if line.servicer_ref else ""
    first = f":61:{line.value_on:%y%m%d}{line.booked_on:%m%d}{mark}{amount}NTRFNONREF{bank}"
    fields = [f"EREF+{item.end_to_end_id}" for item in line.items if item.end_to_end_id]
    fields += [f"MREF+{item.mandate_ref}" for item in line.items if item.mandate_ref]
    fields += [f"SVWZ+{text}" for text in (line.text, *_remittance(line.items)) if text]
    cut = [piece for text in fields for piece in _pieces(text)]
    code = "109" if any(item.return_reason for item in line.items) else "166"
    numbered = [f"?{number}{piece}" for number, piece in enumerate(cut, 20)]
    numbered += [f"?34{item.return_reason}" for item in line.items if item.return_reason]
    whole = f":86:{code}?00UMSATZ{''.join(numbered)}"
    return [first, *(whole[at : at + 65] for at in range(0, len(whole), 65))]


def _remittance(items: tuple[LineItem, ...]) -> list[str]:
    return [text for item in items for text in item.remittance]


def _pieces(text: str) -> list[str]:
    return [text[at : at + WIDTH] for at in range(0, len(text), WIDTH)]
