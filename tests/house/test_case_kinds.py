"""Kinds of cases: the documentation names those that nothing opens yet, and no other."""

import re
from pathlib import Path

from domain.case.kinds import CaseKind
from domain.statement.broken import StatementBreak

ROOT = Path(__file__).resolve().parents[2]
TABLES = {"kinds.py", "guides.py", "policy.py"}
"""Files that only describe kinds."""


def opened() -> set[CaseKind]:
    """Kinds that some code of the domain names, outside the tables that describe them."""
    found = {CaseKind(one.value) for one in StatementBreak}
    for path in sorted((ROOT / "domain").rglob("*.py")):
        if path.parent.name == "case" and path.name in TABLES:
            continue
        names = re.findall(r"CaseKind\.([A-Z_]+)", path.read_text(encoding="utf-8"))
        found |= {CaseKind[name] for name in names}
    return found


def test_kinds_that_nothing_opens_are_said_to_be_still_to_come() -> None:
    """Whoever opens one takes it off the page; a kind that nobody will open is removed."""
    page = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")
    rows = page.partition("| kind | opened by")[2].partition("\n\n")[0]
    listed = {name for row in rows.splitlines()[2:] for name in re.findall(r"`(\w+)`", row)}
    assert listed == set(CaseKind) - opened()
    assert listed, "remove this test and the table when every kind is opened"
