"""Reports of rails: rows of the day add up, whatever breaks a rule is named by its line."""

from datetime import date
from pathlib import Path

import pytest

from adapters.railreports import read_report
from adapters.refusals import SourceRefused

HEAD = "rail,order_no,currency,amount,value_on\n"
DAY = date(2026, 3, 10)


def written(folder: Path, text: str) -> Path:
    path = folder / "report.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_of_the_day_add_up(tmp_path: Path) -> None:
    """By rail, order and currency; a rail with rows of other days alone has reported too."""
    rows = (
        "simbank,O1,CNY,1.00,2026-03-10\nsimbank,O1,CNY,0.50,2026-03-10\n"
        "other,O2,JPY,7,2026-03-11\n"
    )
    said, rails = read_report(written(tmp_path, HEAD + rows), DAY)
    assert said == {("simbank", "O1", "CNY"): 150}
    assert rails == {"simbank", "other"}


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("rail,order_no\na,b\n", "column: 'currency'"),
        (f"{HEAD}simbank,O1,CNY,1.005,2026-03-10\n", "line 2: amount"),
        (f"{HEAD}simbank,O1,CNY,x,2026-03-10\n", "line 2: amount"),
        (f"{HEAD}simbank,O1,CNY,1,10.3.2026\n", "line 2: value_on"),
        (f"{HEAD}simbank,,CNY,1,2026-03-10\n", "line 2: order_no"),
        (f"{HEAD},O1,CNY,1,2026-03-10\n", "line 2: rail"),
    ],
)
def test_a_row_that_breaks_a_rule_is_named(tmp_path: Path, text: str, field: str) -> None:
    """By line, field and value."""
    with pytest.raises(SourceRefused, match=field):
        read_report(written(tmp_path, text), DAY)


def test_a_report_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that never ends is refused."""
    monkeypatch.setattr("adapters.railreports.ROWS_MOST", 1)
    with pytest.raises(SourceRefused, match="at most 1"):
        read_report(written(tmp_path, HEAD + "simbank,O1,CNY,1,2026-03-10\n" * 2), DAY)
