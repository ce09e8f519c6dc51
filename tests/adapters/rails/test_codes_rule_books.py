"""Return codes against the rule books, keyed again from them and not from our own tables.

ACH: Nacha reason codes as in moov-io/ach addenda99.go (60 days where its text says so), exception
codes R61 to R85; SEPA: EPC173-14; Bacs: docs.numeral.io; UnionPay: the collection list.
"""

import pytest

from adapters.rails.codes import load_codes
from domain.debit.mandate import BARRING
from domain.debit.outcome import OutcomeClass

_O = OutcomeClass

CLASSES: dict[tuple[str, str | None], dict[OutcomeClass, str]] = {
    ("ach", None): {
        _O.NSF: "R01 R09",
        _O.ACCOUNT: "R02 R03 R04 R12 R13 R16 R20 R28 R34 R82",
        _O.DISPUTE: "R05 R10 R29",
        _O.MANDATE: "R07 R14",
        _O.PAYER_STOP: "R08 R38 R52",
        _O.DECEASED: "R15",
        _O.DUPLICATE: "R24 R47 R67",
        _O.DATA_ERROR: (
            "R11 R17 R18 R19 R21 R22 R25 R26 R27 R37 R39 R51 R53 R61 R68 R69 R80 R85 C61 C69"
        ),
        _O.SUCCESS_DEFECTIVE: "C01 C02 C03 C04 C05 C06 C07 C08 C09 C10 C11 C12 C13 C14",
        _O.UNKNOWN_CODE: "R00 R48 R90 R99 C99 51",
    },
    ("sepa", None): {
        _O.NSF: "AM04 MS03",
        _O.ACCOUNT: "AC01 AC04 AC06 AC13 AG01 RC01",
        _O.MANDATE: "MD01 MD02",
        _O.PAYER_STOP: "MD06 MS02 SL01",
        _O.DECEASED: "MD07",
        _O.DUPLICATE: "AM05",
        _O.DATA_ERROR: "AG02 BE05 CNOR DNOR FF01 RR01 RR02 RR03 TM01",
        _O.UNKNOWN_CODE: "XX99 R01",
    },
    ("sepa", "b2b"): {
        _O.NSF: "AM04 MS03",
        _O.ACCOUNT: "AC01 AC04 AC06 AC13 AG01 RC01",
        _O.MANDATE: "MD01 MD02",
        _O.DATA_ERROR: "AG02 BE05 CNOR DNOR FF01 FF05 RR01 RR02 RR03 TM01",
        _O.RISK_REJECT: "RR04",
        # An authorised collection of this scheme is never refunded.
        _O.UNKNOWN_CODE: "MD06",
    },
    ("bacs", "arudd"): {
        _O.NSF: "0",
        _O.MANDATE: "1 6",
        _O.DECEASED: "2",
        _O.ACCOUNT: "3 5 B",
        _O.PAYER_STOP: "4",
        _O.DATA_ERROR: "7 8 9 A",
        _O.UNKNOWN_CODE: "C D E L R",
    },
    ("unionpay", None): {
        _O.SUCCESS: "00 74 75",
        _O.SUCCESS_DEFECTIVE: "A6 A1 42",
        _O.PENDING: "03 04 05 83",
        _O.NOT_FOUND: "34",
        _O.DUPLICATE: "12",
        _O.NSF: "64 90",
        _O.LIMIT: "33 81",
        _O.ACCOUNT: "61 63 66 73 78",
        _O.MANDATE: "40 62 72 77",
        _O.RISK_REJECT: "38",
        _O.TECH: "02 06 39",
        _O.DECLINED: "01 30 60",
        _O.DATA_ERROR: "10 11 13",
        _O.UNKNOWN_CODE: "98 99 51",
    },
}


@pytest.mark.parametrize(
    ("rail", "product", "code", "outcome_class"),
    [
        (rail, product, code, outcome_class)
        for (rail, product), by_class in CLASSES.items()
        for outcome_class, codes in by_class.items()
        for code in codes.split()
    ],
)
def test_a_code_has_the_class_of_the_rule_book(
    rail: str, product: str | None, code: str, outcome_class: OutcomeClass
) -> None:
    """And only soft classes are tried again by a machine."""
    row = load_codes(rail, product).lookup(code)
    assert row.outcome_class is outcome_class
    assert row.machine_retry is (outcome_class in {_O.NSF, _O.LIMIT, _O.TECH, _O.DECLINED})


@pytest.mark.parametrize(
    "code", ["R05", "R07", "R10", "R11", "R33", "R37", "R38", "R51", "R52", "R53"]
)
def test_codes_that_may_come_for_sixty_days_say_so(code: str) -> None:
    """Two banking days are the rule, these are its exceptions; R29 and R39 are none."""
    assert load_codes("ach").lookup(code).finality == "60 calendar days from settlement"
    for usual in ("R01", "R08", "R29", "R39"):
        assert load_codes("ach").lookup(usual).finality.startswith("2 banking days")


@pytest.mark.parametrize("code", ["R61", "R67", "R70", "R71", "R77", "R80", "R84", "R85"])
def test_dishonoured_contested_and_international_returns_wait_for_a_person(code: str) -> None:
    """They speak of a return, not of the debit: nothing of ours is to be mended by itself."""
    row = load_codes("ach").lookup(code)
    assert (row.action, row.machine_retry) == ("inquire_and_case", False)


@pytest.mark.parametrize(
    ("rail", "product", "codes"),
    [
        ("ach", None, "R11 R37 R39 R51 R53 R08 R17"),
        ("alipay", None, "ACQ.CYCLE_PAY_SINGLE_FEE_EXCEED ACQ.CYCLE_PAY_DATE_NOT_MATCH"),
        ("bacs", "arudd", "4 7 8 9"),
        ("bacs", "addacs", "C D E R"),
        ("bacs", "ddica", "1 2 7"),
        ("visa", None, "R0 62 05"),
        ("sepa", None, "MS02 MD06 SL01"),
    ],
)
def test_what_is_about_one_debit_alone_bars_no_mandate(
    rail: str, product: str | None, codes: str
) -> None:
    """Its amount, its day, its notice or its paper item was wrong, or the payer stopped it."""
    classes = {load_codes(rail, product).lookup(code).outcome_class for code in codes.split()}
    assert classes.isdisjoint(BARRING)


@pytest.mark.parametrize(
    ("rail", "product", "codes", "outcome_class"),
    [
        ("alipay", None, "ACQ.CYCLE_PAY_TOTAL_FEE_EXCEED ACQ.AGREEMENT_NOT_EXIST", _O.MANDATE),
        ("bacs", "ddica", "3 4", _O.MANDATE),
        ("mastercard", None, "21", _O.MANDATE),
        ("visa", None, "R1", _O.MANDATE),
        ("visa", None, "R3", _O.ACCOUNT),
    ],
)
def test_what_ends_an_authority_bars_as_far_as_it_reaches(
    rail: str, product: str | None, codes: str, outcome_class: OutcomeClass
) -> None:
    """One mandate, or all of the account."""
    rows = [load_codes(rail, product).lookup(code) for code in codes.split()]
    assert {row.outcome_class for row in rows} == {outcome_class}
