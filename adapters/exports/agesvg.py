"""Draws the ages of items that are paid and not closed as SVG: a bar for each span of days."""

from collections.abc import Sequence
from datetime import date
from xml.etree import ElementTree as ET

from domain.audit.backlog import OpenItem

SPANS = ((0, 2), (3, 5), (6, 10), (11, 20), (21, 30), (31, None))
"""First and last day of each bar; None: without an end."""
_WIDTH, _LEFT, _TOP, _ROW, _BAR, _LONGEST = 640, 110, 70, 34, 20, 440
_IN_TIME, _LATE, _INK, _PALE = "#1f6f8b", "#b8651b", "#1d2129", "#5b6470"
_FONT = "font-family:system-ui,'Noto Sans CJK SC','Noto Sans',sans-serif"


def ages_svg(items: Sequence[OpenItem], as_of: date) -> str:
    """The picture as the text of an SVG file; nothing is loaded from elsewhere."""
    height = _TOP + _ROW * len(SPANS) + 16
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_WIDTH} {height}",
            "width": str(_WIDTH),
            "height": str(height),
            "role": "img",
            "style": f"{_FONT};background:#fff",
        },
    )
    title = f"Paid and not closed on {as_of}: {len(items)}"
    ET.SubElement(root, "title").text = title
    _text(root, 16, 26, title, 16, _INK)
    _text(root, 16, 46, "within their time", 12, _IN_TIME)
    _text(root, 150, 46, "late", 12, _LATE)
    counts = [_counted(items, first, last) for first, last in SPANS]
    most = max((sum(one) for one in counts), default=0) or 1
    for place, ((first, last), (in_time, late)) in enumerate(zip(SPANS, counts, strict=True)):
        y = _TOP + _ROW * place
        span = f"{first}-{last} days" if last is not None else f"over {first - 1} days"
        _text(root, 16, y + 14, span, 12, _INK)
        x = _LEFT
        for count, colour in ((in_time, _IN_TIME), (late, _LATE)):
            length = _LONGEST * count // most
            if count:
                bar = {"x": x, "y": y, "width": max(length, 2), "height": _BAR}
                ET.SubElement(root, "rect", {k: str(v) for k, v in bar.items()} | {"fill": colour})
            x += length
        _text(root, x + 8, y + 14, str(in_time + late), 12, _PALE)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counted(items: Sequence[OpenItem], first: int, last: int | None) -> tuple[int, int]:
    """How many items of a span are within their time, and how many late."""
    mine = [one for one in items if max(one.age_days, 0) >= first]
    mine = [one for one in mine if last is None or one.age_days <= last]
    late = sum(one.is_late for one in mine)
    return len(mine) - late, late


def _text(root: ET.Element, x: int, y: int, text: str, size: int, fill: str) -> None:
    place = {"x": str(x), "y": str(y), "font-size": str(size), "fill": fill}
    ET.SubElement(root, "text", place).text = text
