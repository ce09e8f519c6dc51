"""The page of the audit names every kind of finding once."""

import re

from domain.audit import FindingKind
from tests.support.tree import ROOT


def test_the_page_has_a_row_for_each_kind_of_finding() -> None:
    """Whoever reads a finding finds its kind there."""
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| \w", page, re.MULTILINE)
    assert sorted(rows) == sorted(kind.value for kind in FindingKind)
