"""One statement written as camt.053, MT940 and BAI2 names its lines alike."""

import dataclasses
from datetime import date, timedelta
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.statements.anyfile import StatementFileReader
from domain.statement.statement import LineItem, Statement, StatementLine
from ports.statements import FileSurvey
from tests.adapters.statements import bai2_writer, camt_writer, swift_writer

DAY = date(2026, 1, 2)
ACCOUNT = "DE02120300000000202051"
REFS = st.text("ABCXYZ0189-", min_size=1, max_size=14).map(lambda text: f"R{text}")


@st.composite
def lines(draw: st.DrawFn, currency: str) -> StatementLine:
    minor = draw(st.integers(-(10**10), 10**10))
    named = draw(st.none() | REFS)
    items = () if named is None else (LineItem(named, None, None, minor),)
    return StatementLine(
        id="",
        account=ACCOUNT,
        booked_on=DAY,
        value_on=DAY + timedelta(days=draw(st.integers(-60, 60))),
        amount_minor=minor,
        currency=currency,
        servicer_ref=draw(st.none() | REFS),
        items=items,
    )


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    currency = draw(st.sampled_from(["EUR", "CNY", "JPY", "KWD"]))
    inside = tuple(draw(st.lists(lines(currency), max_size=8)))
    inside += tuple(draw(st.lists(st.sampled_from(inside), max_size=3))) if inside else ()
    opening = draw(st.integers(-(10**9), 10**9))
    closing = opening + sum(line.amount_minor for line in inside)
    number = draw(st.integers(1, 99_999))
    return Statement(
        "S1", ACCOUNT, currency, number, DAY, opening, closing, inside, period=(DAY, DAY)
    )


def spelled(statement: Statement) -> dict[str, bytes]:
    """The same statement in each format."""
    return {
        "camt.053.001.08": camt_writer.document(statement),
        "MT940": swift_writer.message(statement).encode(),
        "BAI2": bai2_writer.document(statement).encode(),
    }


@settings(max_examples=60, deadline=None)
@given(statements())
def test_three_spellings_give_one_set_of_lines(statement: Statement) -> None:
    """Same ids, amounts and days in the same order; same balances; nothing wrong in any of them."""
    heads: set[tuple[object, ...]] = set()
    told: set[tuple[object, ...]] = set()
    for name, content in spelled(statement).items():
        reader = StatementFileReader(page_lines=3)
        survey: FileSurvey = reader.survey(BytesIO(content))
        (summary,) = survey.statements
        assert (survey.format, summary.faults) == (name, ())
        (read,) = reader.read(BytesIO(content))
        assert len(read.lines) == len(statement.lines)
        heads.add((read.account, read.currency, read.opening_minor, read.closing_minor))
        told.add(tuple(map(_said, read.lines)))
    assert len(heads) == len(told) == 1


def _said(line: StatementLine) -> tuple[object, ...]:
    named = tuple(item.references for item in line.items)
    return (line.id, line.amount_minor, line.booked_on, line.value_on, named)


def test_a_return_reads_alike_in_camt_and_mt940() -> None:
    """Amount, mandate and reason of a debit that came back."""
    back = LineItem("E1", "M1", None, -5000, return_reason="AM04")
    line = StatementLine("", ACCOUNT, DAY, DAY, -5000, "EUR", "B1", items=(back,))
    statement = Statement("S1", ACCOUNT, "EUR", 1, DAY, 5000, 0, (line,), period=(DAY, DAY))
    files = spelled(statement)
    files["MT940"] = files["MT940"].replace(b"?34AM04", b"?22RTRN+AM04")
    found = []
    for name in ("camt.053.001.08", "MT940"):
        (read,) = StatementFileReader().read(BytesIO(files[name]))
        (item,) = read.lines[0].items
        found.append(dataclasses.replace(item, counterparty=None))
    assert found == [back, back]
