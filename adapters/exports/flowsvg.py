"""Draws the flow of a payment as SVG: a lane for each account, a bar for each stay, by entries.

Time runs to the right, one column for each entry that moved the money, whatever days lie between.
Nothing is loaded from elsewhere and no script is in it.
"""

from collections.abc import Mapping
from datetime import date
from xml.etree import ElementTree as ET

from domain.ledger.flow import Flow, Mark, Stay
from domain.money import decimal_text
from domain.text import visible

_LEFT, _TOP, _COLUMN, _LANE, _BAR, _MARGIN = 330, 96, 132, 34, 22, 16
_CASH, _WHOSE, _LINE, _INK, _PALE = "#1f6f8b", "#b8651b", "#c9ced6", "#1d2129", "#5b6470"
_FONT = "font-family:system-ui,'Noto Sans CJK SC','Noto Sans',sans-serif"


def flow_svg(flow: Flow, as_of: date) -> str:
    """The picture as the text of an SVG file."""
    marks = _marks(flow)
    columns = {seq: place for place, seq in enumerate(marks)}
    lanes = _lanes(flow, columns)
    width = _LEFT + _COLUMN * (len(columns) + 1) + _MARGIN
    height = _TOP + _LANE * sum(len(rows) for rows in lanes.values()) + 2 * _MARGIN
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width} {height}",
            "width": str(width),
            "height": str(height),
            "role": "img",
            "style": f"{_FONT};background:#fff",
        },
    )
    ET.SubElement(root, "title").text = f"Payment {visible(flow.payment)}"
    _text(root, _MARGIN, 26, f"Payment {flow.payment}, {flow.currency}", size=16)
    _text(root, _MARGIN, 44, "where the money lay", fill=_CASH)
    _text(root, _MARGIN, 60, "for whom it lay there", fill=_WHOSE)
    for seq, mark in marks.items():
        x = _LEFT + _COLUMN * columns[seq]
        _line(root, x, _TOP - 8, x, height - _MARGIN)
        _text(root, x + 3, 72, mark.on.isoformat(), fill=_PALE)
        _text(root, x + 3, 86, mark.event, fill=_PALE)
    y = _TOP
    for (account, place), rows in lanes.items():
        _text(root, _MARGIN, y + 14, account, size=12)
        if account != place:
            _text(root, _MARGIN + 10, y + 26, f"at {place}", size=9, fill=_PALE)
        for row in rows:
            for stay in row:
                _bar(root, stay, y, columns, as_of, flow.currency)
            y += _LANE
        _line(root, _MARGIN, y - 4, width - _MARGIN, y - 4)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _marks(flow: Flow) -> dict[int, Mark]:
    """The entries that moved something, by number, in order."""
    every = [mark for stay in flow.stays for mark in (stay.came, stay.left) if mark is not None]
    return {mark.seq: mark for mark in sorted(every, key=lambda mark: mark.seq)}


def _lanes(flow: Flow, columns: Mapping[int, int]) -> dict[tuple[str, str], list[list[Stay]]]:
    """Stays by account and place, those of cash first; in rows in which no two overlap."""
    lanes: dict[tuple[str, str], list[list[Stay]]] = {}
    for stay in sorted(flow.stays, key=lambda stay: not stay.is_cash):
        rows = lanes.setdefault((stay.account, stay.place), [])
        begin = columns[stay.came.seq]
        free = (row for row in rows if _end(row[-1], columns) <= begin)
        row = next(free, None)
        if row is None:
            rows.append([stay])
        else:
            row.append(stay)
    return lanes


def _end(stay: Stay, columns: Mapping[int, int]) -> int:
    """The column at which a stay ends: the last one while the money lies there."""
    return len(columns) if stay.left is None else columns[stay.left.seq]


def _bar(
    root: ET.Element,
    stay: Stay,
    y: int,
    columns: Mapping[int, int],
    as_of: date,
    currency: str,
) -> None:
    """Draw one stay; the whole of it is said where the pointer rests on it."""
    begin = columns[stay.came.seq]
    x, width = _LEFT + _COLUMN * begin, _COLUMN * (_end(stay, columns) - begin) - 2
    days = stay.dwell_days(as_of)
    until = stay.left.on.isoformat() if stay.left else f"still there on {as_of}"
    bar = ET.SubElement(
        root,
        "rect",
        {
            "x": str(x),
            "y": str(y + 3),
            "width": str(width),
            "height": str(_BAR),
            "rx": "3",
            "fill": _CASH if stay.is_cash else _WHOSE,
            "fill-opacity": "0.85" if stay.left else "1",
            **({} if stay.left else {"stroke": _INK, "stroke-width": "1.5"}),
        },
    )
    amount = decimal_text(stay.minor, currency)
    about = f"{amount} {currency} on {stay.account}, {stay.came.on} to {until}, {days} days"
    ET.SubElement(bar, "title").text = visible(about)
    _text(root, x + 5, y + 18, f"{amount} · {days} d", fill="#fff")


def _line(root: ET.Element, *points: int) -> None:
    at = {name: str(point) for name, point in zip(("x1", "y1", "x2", "y2"), points, strict=True)}
    ET.SubElement(root, "line", {**at, "stroke": _LINE, "stroke-width": "1"})


def _text(root: ET.Element, x: int, y: int, text: str, *, size: int = 11, fill: str = _INK) -> None:
    at = {"x": str(x), "y": str(y), "font-size": str(size), "fill": fill}
    ET.SubElement(root, "text", at).text = visible(text)
