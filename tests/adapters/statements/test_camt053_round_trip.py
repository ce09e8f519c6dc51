"""What the test's own writer writes, the reader reads back, whatever the amounts and versions."""

from dataclasses import replace
from datetime import date
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.statements.camt import CamtReader
from domain.money import decimal_text
from domain.statement.identity import LineIds
from domain.statement.statement import Balance, BalanceKind, LineItem, Statement, StatementLine
from tests.adapters.statements import camt_writer
from tests.support.totals import control_totals

MINOR = st.integers(-(10**12), 10**12)
DATES = st.dates(date(2000, 1, 1), date(2099, 12, 31))
REFS = st.text("ABCXYZ0189-/.&<>'\" 还款", min_size=1, max_size=20).map(
    lambda text: " ".join(f"R{text}".split())
)


@st.composite
def items(draw: st.DrawFn) -> LineItem:
    amount = draw(MINOR.filter(bool))
    charges = draw(st.integers(-100, 100)) if draw(st.booleans()) else 0
    return LineItem(
        end_to_end_id=draw(st.none() | REFS),
        mandate_ref=draw(st.none() | REFS),
        tx_id=draw(st.none() | REFS),
        amount_minor=amount,
        charges_minor=charges,
        return_reason=draw(st.none() | st.sampled_from(["MS03", "AM04"])),
        remittance=tuple(draw(st.lists(REFS, max_size=2))),
    )


@st.composite
def lines(draw: st.DrawFn, currency: str) -> StatementLine:
    inside = tuple(draw(st.lists(items(), max_size=3)))
    if len(inside) == 1:  # its references are repeated in the text of the line
        inside = (replace(inside[0], remittance=()),)
    # A zero amount has no sign of its own, so an entry of zero is written as a credit.
    amount = sum(item.booked_minor for item in inside) if inside else draw(MINOR)
    is_batch = draw(st.booleans())
    return StatementLine(
        id="",
        account="",
        booked_on=draw(DATES),
        value_on=draw(DATES),
        amount_minor=amount,
        currency=currency,
        servicer_ref=draw(st.none() | REFS),
        reversal=draw(st.booleans()),
        items=inside,
        batch_ref=draw(REFS) if is_batch else None,
        batch_count=len(inside) if is_batch and inside else None,
        text=draw(st.just("") | REFS),
        printed=decimal_text(abs(amount), currency),
        code="X",
    )


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    currency = draw(st.sampled_from(["CNY", "EUR", "JPY", "KWD"]))
    number = draw(st.integers(1, 10**6))
    account, id_ = f"ACCT-{number}-{currency}", f"ST-{number}"
    ids = LineIds()
    here = [replace(line, account=account) for line in draw(st.lists(lines(currency), max_size=6))]
    inside = tuple(replace(line, id=ids.next(line)) for line in here)
    opening = draw(MINOR)
    closing = opening + sum(line.amount_minor for line in inside)
    booked_on = draw(DATES)
    period = (booked_on, booked_on)
    kinds = (BalanceKind.OPENING_BOOKED, BalanceKind.CLOSING_BOOKED)
    stated = zip(kinds, (opening, closing), strict=True)
    return Statement(
        id_,
        account,
        currency,
        number,
        booked_on,
        opening,
        closing,
        inside,
        period=period,
        balances=tuple(Balance(kind, minor, currency, booked_on) for kind, minor in stated),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(statements(), min_size=1, max_size=3), st.sampled_from([2, 3, 4, 8, 13]))
def test_what_is_written_is_read_back(written: list[Statement], version: int) -> None:
    """Every field survives the file, in every version, and what added up still does."""
    file = camt_writer.document(*written, version=version)
    read = list(CamtReader(page_lines=2).read(BytesIO(file)))
    assert read == written
    assert all(control_totals(statement) == () for statement in read)
