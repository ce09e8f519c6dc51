"""The code tables: every row well formed, sourced, and in agreement with the taxonomy's rules."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.rails.codes import (
    limits_of,
    load_codes,
    load_limits,
    load_returns,
    products,
    rails,
    tables,
)
from domain.debit.codes import CodeRow
from domain.debit.outcome import OutcomeClass
from domain.debit.retry import HARD, RetryAt
from domain.errors import InvalidInput, InvariantBroken
from domain.loan.aggregate import Rulebook
from tests.domain.debit.cases import attempt, decide, rule

_O = OutcomeClass
LISTS = [(rail, product) for rail in rails() for product in products(rail)]
MAY_RETRY = {_O.NSF, _O.LIMIT, _O.TECH, _O.DECLINED}


def every_row() -> Iterator[CodeRow]:
    """Every row of every list."""
    for rail, product in LISTS:
        yield from load_codes(rail, product).rows.values()


def test_there_is_one_file_for_every_rail_of_the_house() -> None:
    """Ten rails, each with the lists it publishes."""
    assert set(rails()) == {
        "ach", "sepa", "bacs", "unionpay", "wechatpay", "alipay", "netsunion", "visa",
        "mastercard", "simbank",
    }  # fmt: skip


def test_only_soft_classes_may_be_tried_again_by_a_machine() -> None:
    """The taxonomy's rule holds for every row, whatever a data file says."""
    for row in every_row():
        assert row.machine_retry <= (row.outcome_class in MAY_RETRY), row
        assert (row.retry_limit is None) is not row.machine_retry, row
        if row.outcome_class is _O.DECLINED and row.machine_retry:
            assert row.retry_limit == 1, row
        assert not (row.outcome_class in HARD and row.action == "retry"), row


def test_every_row_says_where_it_comes_from_and_what_the_borrower_is_shown() -> None:
    """Both languages, a graded source, a finality: no row is left to guesswork."""
    for row in every_row():
        own = row.rail == "simbank"
        assert own or any(f"[{grade}" in row.source for grade in ("A", "B", "C")), row
        texts = (row.text, row.text_en, row.finality)
        said = (row.borrower.zh, row.borrower.en, row.can_do.zh, row.can_do.en)
        assert all((*texts, *said)), row
        assert row.borrower.en.isascii(), row
        assert not row.borrower.zh.isascii(), row
        assert row.text_en.isascii(), row


def test_rows_agree_with_the_limits_that_their_list_names() -> None:
    """Where a scheme lets only some codes be presented again, no other row claims more."""
    for rail, product in LISTS:
        rows = load_codes(rail, product).rows.values()
        for limit in limits_of(rail, product):
            if limit.only_codes:
                assert {r.code for r in rows if r.machine_retry} == set(limit.only_codes)
            if limit.presentations_max is not None:
                most = max(r.retry_limit for r in rows if r.retry_limit is not None)
                assert most == limit.presentations_max - 1, (rail, product)


@pytest.mark.parametrize(
    ("rail", "product", "code", "outcome_class"),
    [
        ("ach", None, "R01", _O.NSF),
        ("ach", None, "R07", _O.MANDATE),
        ("ach", None, "R24", _O.DUPLICATE),
        ("ach", None, "C01", _O.SUCCESS_DEFECTIVE),
        ("sepa", None, "MS03", _O.NSF),
        ("sepa", "b2b", "MD01", _O.MANDATE),
        ("bacs", None, "0", _O.NSF),
        ("bacs", "addacs", "0", _O.MANDATE),
        ("bacs", None, "1", _O.MANDATE),
        ("bacs", "ddica", "1", _O.DATA_ERROR),
        ("bacs", None, "L", _O.ACCOUNT),
        ("unionpay", None, "74", _O.SUCCESS),
        ("unionpay", None, "83", _O.PENDING),
        ("unionpay", None, "61", _O.ACCOUNT),
        ("unionpay", "pos", "61", _O.LIMIT),
        ("unionpay", "pos", "51", _O.NSF),
        ("unionpay", None, "51", _O.UNKNOWN_CODE),
        ("unionpay", None, "03", _O.PENDING),
        ("unionpay", "pos", "03", _O.DATA_ERROR),
        ("netsunion", None, "ES000033", _O.PENDING),
        ("wechatpay", None, "PAY_SUCCESS", _O.SUCCESS),
        ("alipay", None, "ACQ.SYSTEM_ERROR", _O.TECH),
        ("visa", None, "R1", _O.MANDATE),
        ("mastercard", None, "03", _O.ACCOUNT),
        ("simbank", None, "AM04", _O.NSF),
        ("simbank", "dd", "AM04", _O.UNKNOWN_CODE),
    ],
)
def test_the_same_characters_mean_what_their_own_list_says(
    rail: str, product: str | None, code: str, outcome_class: OutcomeClass
) -> None:
    """A code is read by rail and product; out of its list it is unknown, never a failure."""
    assert load_codes(rail, product).lookup(code).outcome_class is outcome_class


def test_an_unmapped_code_is_asked_about_and_is_never_a_failure() -> None:
    """The unknown row is no retry, no refusal, and brings a person in."""
    for rail, product in LISTS:
        row = load_codes(rail, product).lookup("no such code")
        assert (row.outcome_class, row.machine_retry, row.retry_limit) == (
            _O.UNKNOWN_CODE,
            False,
            None,
        )
        assert (row.rail, row.product, row.action) == (rail, product, "inquire_and_case")


def test_unknown_rails_products_and_limits_are_mistakes_of_the_asker() -> None:
    """The names that exist are reported; nothing outside the folder is ever opened."""
    for name in ("nacha", "../../etc/passwd", "limits", "classes", ""):
        with pytest.raises(InvalidInput, match="rail"):
            load_codes(name)
    with pytest.raises(InvalidInput, match="product"):
        load_codes("ach", "pos")
    with pytest.raises(InvalidInput, match="product"):
        limits_of("ach", "pos")
    with pytest.raises(InvalidInput, match="limit"):
        load_limits("no.such.limit")


def test_tables_are_read_once() -> None:
    """Asking again gives the same object: an outcome costs a look-up, not a file."""
    assert load_codes("ach", "returns") is load_codes("ach", "returns")
    assert load_limits() is load_limits()


def test_limits_refuse_by_their_ids() -> None:
    """Nacha: three presentations of R01; a code outside the rule not even a second."""
    [nacha] = limits_of("ach")
    first = attempt(1, code="R01")
    second = attempt(2, code="R01", on=attempt().value_on.replace(day=3))
    third = attempt(3, code="R01", on=attempt().value_on.replace(day=6))
    assert isinstance(decide(first, second, limits=(nacha,)), RetryAt)
    assert rule(first, second, third, limits=(nacha,)) == "nacha.reinitiation"
    assert rule(attempt(code="R08"), limits=(nacha,)) == "nacha.reinitiation"
    [cfpb] = load_limits("cfpb.1041_8")
    assert cfpb.across_loans
    assert cfpb.failures_in_a_row == 2


def test_the_wait_that_a_code_asks_for_is_a_limit_of_its_own() -> None:
    """Mastercard advice 30 asks for ten days; others on the list do not wait for it."""
    waits = {limit.id: limit for limit in limits_of("mastercard") if limit.wait_hours}
    assert waits["mastercard.wait.30"].wait_hours == 240
    assert waits["mastercard.wait.30"].applies_to == ("30",)
    assert limits_of("simbank") == ()


ROW = '{ code = "1", text = "one", class = "NSF", source = "s" }'
GOOD = (
    'rail = "x"\ndefault = ["p"]\n[sources]\ns = "here"\n'
    '[products.p]\ntitle = "t"\nretry_limit = 1\nfinality = "f"\ncodes = [ROWS]\n'
)


@pytest.mark.parametrize(
    "content",
    [
        GOOD.replace("ROWS", f"{ROW}, {ROW}"),
        GOOD.replace("ROWS", ROW.replace('source = "s"', 'source = "other"')),
        GOOD.replace("ROWS", ROW.replace("NSF", "SOMETHING")),
        GOOD.replace("ROWS", ROW.replace('text = "one", ', "")),
        GOOD.replace("ROWS", ""),
        GOOD.replace("ROWS", ROW).replace('rail = "x"', 'rail = "y"'),
        GOOD.replace("ROWS", ROW).replace('default = ["p"]', 'default = ["q"]'),
    ],
)
def test_a_table_that_contradicts_itself_is_refused_as_a_whole(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the same code, a source that is not listed, a class that does not exist."""
    classes = (Path(tables.__file__).parent / "classes.toml").read_text(encoding="utf-8")
    (tmp_path / "classes.toml").write_text(classes, encoding="utf-8")
    (tmp_path / "x.toml").write_text(content, encoding="utf-8")
    monkeypatch.setattr(tables, "_FOLDER", tmp_path)
    for cached in (tables._rail_file, tables.load_codes, tables._classes):
        cached.cache_clear()
    try:
        with pytest.raises(InvariantBroken):
            load_codes("x")
    finally:
        for cached in (tables._rail_file, tables.load_codes, tables._classes):
            cached.cache_clear()


@pytest.mark.parametrize(
    ("rail", "code", "outcome_class"),
    [
        ("ach", "R01", _O.NSF),
        ("ach", "R09", _O.NSF),
        ("ach", "R10", _O.DISPUTE),
        ("bacs", "0", _O.NSF),
        ("bacs", "1", _O.MANDATE),
        ("sepa", "AM04", _O.NSF),
        ("sepa", "MS03", _O.NSF),
        ("simbank", "MD06", _O.PAYER_STOP),
        ("simbank", "ZZ99", _O.UNKNOWN_CODE),
    ],
)
def test_the_reason_of_a_return_has_one_meaning_for_each_rail(
    rail: str, code: str, outcome_class: OutcomeClass
) -> None:
    """The table that the books ask, whether a report or a bank line names the reason."""
    assert load_returns(rail).lookup(code).outcome_class is outcome_class
    assert Rulebook(returns={rail: load_returns(rail)}).return_class(rail, code) is outcome_class
    assert Rulebook().return_class(rail, code) is OutcomeClass.UNKNOWN_CODE
