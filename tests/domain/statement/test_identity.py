"""One booking is one line, whatever file brings it."""

from dataclasses import replace
from datetime import date

import pytest

from domain.statement.identity import NAMES_MOST, LineIds, given, id_after, line_mark, names_of
from domain.statement.statement import LineItem, StatementLine

DAY = date(2026, 1, 5)
LINE = StatementLine("", "A", DAY, DAY, 500, "CNY", "SR-1")
BARE = replace(LINE, servicer_ref=None, items=(LineItem("E1", None, "T1", 500),))


def ids(*lines: StatementLine) -> list[str]:
    counted = LineIds()
    return [counted.next(line) for line in lines]


def test_a_line_is_named_by_account_day_and_the_banks_reference() -> None:
    """The name is what a person sees on the bank's paper; texts and details do not change it."""
    other = replace(LINE, text="another text", items=BARE.items, id="whatever")
    assert ids(LINE) == ids(other) == ["A/2026-01-05/SR-1"]
    assert ids(replace(LINE, booked_on=date(2027, 1, 5))) == ["A/2027-01-05/SR-1"]


def test_lines_that_share_a_reference_in_one_statement_are_distinguished_by_their_place() -> None:
    """A booking and its fee under one reference are two lines, on every reading the same two."""
    both = ids(LINE, replace(LINE, amount_minor=-5))
    assert both == ["A/2026-01-05/SR-1", "A/2026-01-05/SR-1*2"]
    assert ids(LINE, LINE)[1] == both[1]


def test_the_next_of_equal_bookings_is_numbered_as_in_one_statement() -> None:
    """Counted on by hand or by place, the third of them has one name."""
    first, second, third = ids(LINE, LINE, LINE)
    assert (id_after(first), id_after(second)) == (second, third)


def test_whoever_counts_is_given_one_signed_number_for_equal_lines() -> None:
    """A counter on disk numbers the lines as the one in memory does, and 64 bits hold its keys."""
    given_keys: list[int] = []

    def count(key: int) -> int:
        given_keys.append(key)
        return given_keys.count(key)

    counted = LineIds(count)
    lines = [replace(LINE, servicer_ref=f"SR-{number % 40}") for number in range(60)]
    assert [counted.next(line) for line in lines] == ids(*lines)
    assert len(set(given_keys)) == 40
    assert all(-(2**63) <= key < 2**63 for key in given_keys)
    assert min(given_keys) < 0 < max(given_keys)


@pytest.mark.parametrize("nothing", ["NOTPROVIDED", "nonref", "000000", "  - ", None])
def test_words_for_no_reference_are_none(nothing: str | None) -> None:
    """Two different lines do not become one because a bank writes NONREF on both."""
    assert given(nothing) is None
    first, second = ids(replace(BARE, servicer_ref=nothing), replace(BARE, amount_minor=600))
    assert first != second


def test_without_a_reference_the_content_names_the_line() -> None:
    """Amount, value date, batch and references count; texts and flags do not."""
    assert line_mark(BARE) == line_mark(replace(BARE, text="other", reversal=True))
    for other in (
        replace(BARE, amount_minor=501),
        replace(BARE, value_on=date(2026, 1, 6)),
        replace(BARE, batch_ref="B"),
        replace(BARE, items=(LineItem("E2", None, "T1", 500),)),
    ):
        assert line_mark(other) != line_mark(BARE)
    assert line_mark(BARE).startswith("~")


def test_a_reference_that_would_break_an_id_is_hashed() -> None:
    """Slashes, spaces and great lengths stay out of ids; different references stay different."""
    slashed = [line_mark(replace(LINE, servicer_ref=ref)) for ref in ("a/b", "a b", "x" * 41)]
    assert len(set(slashed)) == 3
    assert all(mark.startswith("~") and "/" not in mark for mark in slashed)


def test_formats_that_give_or_leave_out_mandate_and_transaction_id_name_a_line_alike() -> None:
    """Without the bank's reference the content that every format has names it."""
    item = LineItem("E1", None, None, 500)
    spellings = [
        replace(BARE, items=(replace(item, mandate_ref=mandate, tx_id=tx),))
        for mandate in (None, "M1")
        for tx in (None, "T1")
    ]
    assert len({line_mark(line) for line in spellings}) == 1
    named_by_mandate = replace(BARE, items=(LineItem(None, "M1", None, 500),))
    assert line_mark(named_by_mandate) == line_mark(replace(BARE, items=()))
    assert line_mark(replace(BARE, items=(replace(item, end_to_end_id="E2"),))) != line_mark(BARE)


def test_the_names_of_a_line_are_its_references_without_mandates() -> None:
    """Sorted and each once; of a batch of many nothing is kept."""
    item = LineItem("E1", "M1", "T1", 500, remittance=("R1",), other_refs=(("customer", "C1"),))
    assert names_of(replace(BARE, items=(item, item))) == ("C1", "E1", "R1", "T1")
    many = tuple(LineItem(f"E{n}", None, None, 1) for n in range(NAMES_MOST + 1))
    assert len(names_of(replace(BARE, items=many[:-1]))) == NAMES_MOST
    assert names_of(replace(BARE, items=many)) == ()
