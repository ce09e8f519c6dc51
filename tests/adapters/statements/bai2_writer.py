"""A small BAI2 writer for tests, made from the format's description and not from the reader."""

from domain.statement.statement import Statement, StatementLine

CREDIT, DEBIT, RETURN = "195", "495", "557"


def document(*statements: Statement, sender: str = "BANK", modifier: str = "2") -> str:
    """One file with a group for each statement; control totals and counts are right."""
    groups = [_group(statement, sender, modifier) for statement in statements]
    inside = [record for records, _ in groups for record in records]
    total = sum(amount for _, amount in groups)
    head = f"01,{sender},US,260106,0200,1,,,2/"
    tail = f"99,{total},{len(groups)},{len(inside) + 2}/"
    return "\n".join([head, *inside, tail, ""])


def _group(statement: Statement, sender: str, modifier: str) -> tuple[list[str], int]:
    assert statement.booked_on is not None
    day = f"{statement.booked_on:%y%m%d}"
    account, total = _account(statement)
    head = f"02,US,{sender},1,{day},2359,{statement.currency},{modifier}/"
    return [head, *account, f"98,{total},1,{len(account) + 2}/"], total


def _account(statement: Statement) -> tuple[list[str], int]:
    balances = (("010", statement.opening_minor), ("015", statement.closing_minor))
    stated = [(code, minor) for code, minor in balances if minor is not None]
    fields = "".join(f",{code},{minor},," for code, minor in stated)
    entries = [detail(line) for line in statement.lines]
    total = sum(minor for _, minor in stated)
    total += sum(abs(line.amount_minor) for line in statement.lines)
    head = f"03,{statement.account},{statement.currency}{fields}/"
    return [head, *entries, f"49,{total},{len(entries) + 2}/"], total


def detail(line: StatementLine) -> str:
    """A detail record; a value date of its own where it differs from the booking date."""
    code = CREDIT if line.amount_minor >= 0 else DEBIT
    if any(item.return_reason for item in line.items):
        code = RETURN
    funds = "Z" if line.value_on == line.booked_on else f"V,{line.value_on:%y%m%d},"
    customer = next((item.end_to_end_id for item in line.items if item.end_to_end_id), "")
    text = line.text or "/"
    return f"16,{code},{abs(line.amount_minor)},{funds},{line.servicer_ref or ''},{customer},{text}"
