"""The chart of ages: every item in one bar, late ones apart."""

from dataclasses import replace
from datetime import date
from xml.etree import ElementTree as ET

from adapters.exports.agesvg import SPANS, ages_svg
from domain.audit.backlog import OpenItem

DAY = date(2026, 3, 20)
ITEM = OpenItem("L1", 1, "CLEARING", 1, DAY, 0, DAY, 100, "CNY", (), is_late=False, next_step="x")


def drawn(*items: OpenItem) -> tuple[list[str], list[int]]:
    """The counts beside the bars, and the widths of the bars."""
    root = ET.fromstring(ages_svg(items, DAY))
    names = "{http://www.w3.org/2000/svg}"
    texts = [str(one.text) for one in root.iter(f"{names}text")]
    widths = [int(one.get("width", "0")) for one in root.iter(f"{names}rect")]
    return texts[4::2], widths


def test_each_item_is_in_one_bar_and_late_ones_have_their_own_part() -> None:
    """The sum of the bars is what there is, whatever the age, future value dates included."""
    ages = [-1, 0, 2, 3, 10, 11, 30, 31, 400]
    items = [replace(ITEM, age_days=age, is_late=age > 10) for age in ages]
    counts, widths = drawn(*items)
    assert [int(one) for one in counts] == [3, 1, 1, 1, 1, 2]
    assert len(widths) == len(SPANS)
    assert max(widths) == 440
    two = [replace(ITEM, is_late=False), replace(ITEM, is_late=True)]
    assert drawn(*two)[1] == [220, 220]


def test_nothing_open_draws_no_bar() -> None:
    """An empty report is a picture as well."""
    assert drawn() == (["0"] * len(SPANS), [])
