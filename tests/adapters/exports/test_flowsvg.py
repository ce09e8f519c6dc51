"""The picture of a payment's flow: well-formed, self-contained, with every stay in it."""

from collections import Counter
from datetime import date
from xml.etree import ElementTree as ET

from adapters.exports.flowsvg import flow_svg
from domain.ledger.flow import Flow, flows
from tests.domain.ledger.test_flow import CONFIRMED, HELD, SETTLED, entry

SVG = "{http://www.w3.org/2000/svg}"
TODAY = date(2026, 3, 20)


def drawn(flow: Flow) -> ET.Element:
    """The picture, parsed."""
    return ET.fromstring(flow_svg(flow, TODAY))


def test_every_stay_is_a_bar_and_every_account_a_lane() -> None:
    """A bar says its amount, its account and its days; lanes of cash come first."""
    (flow,) = flows([*CONFIRMED, *SETTLED, *HELD])
    root = drawn(flow)
    bars = [bar.findtext(f"{SVG}title") or "" for bar in root.iter(f"{SVG}rect")]
    assert len(bars) == len(flow.stays)
    assert "1.00 CNY on clearing/simbank, 2026-03-11 to 2026-03-14, 3 days" in bars
    assert "1.00 CNY on bank/K, 2026-03-14 to still there on 2026-03-20, 6 days" in bars
    texts = [text.text or "" for text in root.iter(f"{SVG}text")]
    lanes = [text for text in texts if text.partition("/")[0] in {"clearing", "bank", "payable"}]
    assert lanes == [
        "clearing/simbank",
        "bank/K",
        "payable/C",
        "payable/F",
        "payable/C",
        "payable/F",
    ]
    assert "at bank/K" in texts


def test_names_from_outside_are_text_in_the_picture_and_nothing_else() -> None:
    """A reference that looks like markup or holds control characters draws nothing."""
    name = "P<script>\u202e&"
    (flow,) = flows(
        entry(1, "confirmed", ("clearing/simbank", 1, "clearing/simbank"), payment=name)
    )
    text = flow_svg(flow, TODAY)
    assert "<script" not in text
    assert drawn(flow).findtext(f"{SVG}title") == "Payment P<script>\\u202e&"
    assert "href" not in text


def test_stays_that_overlap_stand_below_each_other() -> None:
    """Of money that leaves in two parts neither hides the other; what follows takes a free row."""
    parts = [
        *entry(1, "confirmed", ("bank/K", 100, "bank/K")),
        *entry(2, "swept", ("bank/K", -40, "bank/K")),
        *entry(3, "swept", ("bank/K", -60, "bank/K")),
        *entry(4, "swept", ("bank/K", 10, "bank/K")),
    ]
    (flow,) = flows(parts)
    at = [(bar.get("x"), bar.get("y")) for bar in drawn(flow).iter(f"{SVG}rect")]
    assert len(set(at)) == len(at) == 3
    assert sorted(Counter(y for _, y in at).values()) == [1, 2]
