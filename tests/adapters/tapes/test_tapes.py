"""Tapes: every bad row is named, and nothing is guessed."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.refusals import SourceRefused
from adapters.tapes.files import csvtable
from adapters.tapes.files.columns import CANONICAL, REQUIRED
from adapters.tapes.files.mapping import CANONICAL_MAP, TapeMap, read_map
from adapters.tapes.loan.loans import Shift
from adapters.tapes.report.tape import TapeReport, read_tape
from domain.errors import InvalidInput
from domain.text import PLAIN_RULE
from tests.support.doors import Past

ROOT = Path(__file__).resolve().parents[3]
PRODUCTS = read_products(ROOT / "examples" / "products")
LENDING_CLUB = ROOT / "examples" / "maps" / "lendingclub.toml"
HEADER = "loan_id,principal,annual_rate,periods,disbursed_on,first_due_on,product,installment"
GOOD = "L-1,12000,9.6,12,2026-01-15,2026-02-15,cn-personal,1052.76"

Read = Callable[..., TapeReport]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a function that reads a tape of these lines."""

    def reading(
        *lines: str,
        header: str = HEADER,
        tape_map: TapeMap = CANONICAL_MAP,
        encoding: str = "utf-8",
        **options: object,
    ) -> TapeReport:
        path = tmp_path / "tape.csv"
        path.write_text("\n".join((header, *lines)) + "\n", encoding=encoding)
        return read_tape(path, tape_map, PRODUCTS, load_calendar, **options)  # type: ignore[arg-type]

    return reading


def test_a_good_row_becomes_a_command_with_its_schedule_and_mandate(read: Read) -> None:
    """Ids, amounts and dates are what the row says; the rest is the product's and the defaults'."""
    report = read(GOOD)
    (command,) = report.rows
    assert command.id == f"board/default/L-1/{command.identity()[:20]}"
    assert (command.loan_id, command.tenant, command.borrower) == ("L-1", "default", "borrower-L-1")
    assert command.principal_minor == 1_200_000
    assert command.product.ref == "cn-personal@1"
    assert command.mandate.ref == "MD-L-1"
    assert command.mandate.valid_from == date(2026, 1, 15)
    assert len(command.schedule) == 12
    assert sum(line.principal for line in command.schedule) == 1_200_000
    assert (report.comparison.compared, report.comparison.agreed) == (1, 1)


def test_due_dates_move_to_banking_days_and_amounts_stay(read: Read) -> None:
    """15 February 2026 is a Sunday and lies in the Spring Festival: the money is due afterwards."""
    (command,) = read(GOOD).rows
    calendar = load_calendar("CN")
    assert all(calendar.is_banking_day(line.due_on) for line in command.schedule)
    assert command.schedule[0].due_on > date(2026, 2, 15)
    assert command.schedule[0].total == 105_276


def test_a_loan_of_the_31st_falls_due_on_the_last_day_of_short_months(read: Read) -> None:
    """31 January, 28 February, 31 March: the anchor day comes back."""
    row = "L-1,3000,12,3,2026-01-31,,cn-business,"
    report = read(row, header=HEADER)
    days = [line.days for line in report.rows[0].schedule]
    assert days == [28, 31, 30]


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        (GOOD.replace("12000", "12,000"), "columns", "8, as in the header"),
        (GOOD.replace("12000", "1e4"), "principal", "plain decimal"),
        (GOOD.replace("12000", "100.005"), "principal", "2 decimals"),
        (GOOD.replace("12000", "0"), "principal", "above zero"),
        (GOOD.replace("12000", ""), "principal", "must be given"),
        (GOOD.replace(",9.6,", ",9.6%,"), "annual_rate", "plain decimal"),
        (GOOD.replace(",9.6,", ",-1,"), "rate", "percent a year"),
        (GOOD.replace(",12,", ",0,"), "periods", "from 1 to"),
        (GOOD.replace(",12,", ",12.0,"), "periods", "whole number"),
        (GOOD.replace("2026-01-15", "2026-02-30"), "disbursed_on", "a day that exists"),
        (GOOD.replace("2026-01-15", "15/01/2026"), "disbursed_on", "YYYY-MM-DD"),
        (GOOD.replace("2026-02-15", "2026-01-15"), "first_due", "after"),
        (GOOD.replace("cn-personal", "cn-other"), "product", "a product file"),
        (GOOD.replace("L-1", "L 1"), "loan_id", "matches"),
        (GOOD.replace("L-1", "x" * 1001), "loan_id", "at most 1000 characters"),
        (GOOD.replace("L-1", ""), "loan_id", "must be given"),
    ],
)
def test_a_bad_row_is_named_by_line_field_value_and_rule(
    read: Read, row: str, field: str, rule: str
) -> None:
    """The good row above it is read all the same; what to do with both is the caller's choice."""
    report = read(GOOD.replace("L-1", "L-0"), row)
    assert [command.loan_id for command in report.rows] == ["L-0"]
    assert report.fault_count == 1
    (fault,) = report.faults
    assert (fault.line, fault.field) == (3, field)
    assert rule in fault.rule
    assert str(fault).startswith(f"line 3: {field}: ")


def test_a_row_above_a_ceiling_of_its_product_is_named_with_rule_cap_and_figure(read: Read) -> None:
    """21 percent and a guarantor who is paid each time: reported before anything is boarded."""
    row = GOOD.replace("9.6", "21").replace("cn-personal", "cn-guaranteed").rpartition(",")[0] + ","
    report = read(
        GOOD.replace("L-1", "L-0"), row, row.replace(",21,", ",18,").replace("L-1", "L-2")
    )
    assert [command.loan_id for command in report.rows] == ["L-0", "L-2"]
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.value) == (3, "cost", "24.9861 %")
    assert fault.rule == "at most 24 % (CN jin-gui [2025] 9: total financing cost of a single loan)"


def test_a_loan_that_comes_twice_names_the_line_that_has_it(read: Read) -> None:
    """Nobody knows which of the two is meant: neither is good, and each names the other."""
    report = read(GOOD, GOOD)
    assert [(fault.line, fault.rule) for fault in report.faults] == [
        (2, "each loan once; line 3 has it too, and is bad"),
        (3, "each loan once; line 2 has it"),
    ]
    assert (len(report.rows), report.fault_count) == (0, 2)


@pytest.mark.parametrize(
    "bad",
    [
        GOOD.replace("12000", "-12000"),
        GOOD.replace("12000", "12,000"),
        GOOD.replace("2026-01-15", "2026-01-32"),
        GOOD.replace("1052.76", "x" * 1001),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_a_good_row_whose_loan_stands_on_a_bad_one_is_bad_too(
    read: Read, bad: str, *, first: bool
) -> None:
    """Whichever comes first: a corrected copy may stand beside what it corrects, or the reverse."""
    other = GOOD.replace("L-1", "L-2")
    report = read(other, *((bad, GOOD) if first else (GOOD, bad)))
    assert [command.loan_id for command in report.rows] == ["L-2"]
    assert [row.line for row in report.rows.kept] == [2]
    assert [fault.line for fault in report.faults] == [3, 4]
    assert report.comparison.compared == 1


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        # Ten years late, by one digit.
        (
            GOOD.replace("2026-02-15", "2036-02-15"),
            "first_due_on",
            "at most 366 days after 2026-02-15",
        ),
        (
            GOOD.replace("2026-01-15", "2016-01-15"),
            "first_due_on",
            "at most 366 days after 2016-02-15",
        ),
        (GOOD + ",2025-12-31", "mandate_valid_to", "not before the disbursement 2026-01-15"),
    ],
)
def test_a_date_that_is_a_typing_error_is_refused(
    read: Read, row: str, field: str, rule: str
) -> None:
    """A grace of a year is taken, one of ten is not; a mandate does not end before the loan."""
    header = HEADER + (",mandate_valid_to" if field == "mandate_valid_to" else "")
    (fault,) = read(row, header=header).faults
    assert (fault.field, fault.rule) == (field, rule)
    assert read(GOOD.replace("2026-02-15", "2027-02-15")).fault_count == 0


def test_a_row_says_what_became_of_its_past_installments(read: Read) -> None:
    """Its own column wins over what is said for the tape; another word is refused."""
    header = HEADER + ",past"
    rows_ = (GOOD + ",ignore", GOOD.replace("L-1", "L-2") + ",", GOOD.replace("L-1", "L-3") + ",no")
    report = read(*rows_, header=header, past=Past.OWED)
    assert [command.past for command in report.rows] == [Past.IGNORE, Past.OWED]
    (fault,) = report.faults
    assert (fault.line, fault.field, fault.rule) == (4, "past", "refuse, ignore, owed")


def test_a_bullet_is_due_all_its_periods_later(read: Read, tmp_path: Path) -> None:
    """Its one due date lies the whole term ahead and is no typing error."""
    text = (ROOT / "examples" / "products" / "cn-business.toml").read_text(encoding="utf-8")
    (tmp_path / "p.toml").write_text(
        text.replace('method = "equal-principal"', 'method = "bullet"'), encoding="utf-8"
    )
    tape = tmp_path / "bullet.csv"
    row = GOOD.replace("cn-personal,1052.76", "cn-business,").replace(",12,", ",48,")
    tape.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    report = read_tape(tape, CANONICAL_MAP, read_products(tmp_path / "p.toml"), load_calendar)
    assert [len(command.schedule) for command in report.rows] == [1]


def test_another_currency_than_the_products_is_refused(read: Read) -> None:
    """A currency column says what the lender means; the product must agree."""
    (fault,) = read(GOOD + ",USD", header=HEADER + ",currency").faults
    assert (fault.field, fault.value) == ("currency", "USD")


def test_optional_columns_fill_the_mandate(read: Read) -> None:
    """Cap, term and merchant come from the row where it has them."""
    header = HEADER + ",mandate_cap,mandate_valid_to,merchant_id,mandate_ref"
    mandate = read(GOOD + ",1500.50,2029-12-31,M-9,MD-X", header=header).rows[0].mandate
    assert (mandate.cap_minor, mandate.valid_to) == (150_050, date(2029, 12, 31))
    assert (mandate.merchant_id, mandate.ref) == ("M-9", "MD-X")
    (fault,) = read(GOOD + ",1500.50,never,M-9,MD-X", header=header).faults
    assert fault.field == "mandate_valid_to"


def test_a_long_first_period_loses_no_installment_and_is_not_taken_for_the_usual_one(
    read: Read,
) -> None:
    """Sixty percent from 10 January, first due on 1 July: 36 lines, and 610.72 is the usual one."""
    report = read("L-1,10000,60,36,2026-01-10,2026-07-01,cn-personal,604.34")
    (command,) = report.rows
    assert len(command.schedule) == 36
    assert command.schedule[0].principal == 0
    assert command.schedule[1].total == 61_072
    assert report.comparison.exceptions[0].computed.minor == 61_072


def test_an_installment_that_differs_by_more_than_one_unit_is_listed(read: Read) -> None:
    """One unit is rounding; more is a difference that somebody should look at."""
    rows_ = (
        GOOD.replace("1052.76", "1052.77"),
        GOOD.replace("L-1", "L-2").replace("1052.76", "1052.78"),
    )
    comparison = read(*rows_).comparison
    assert (comparison.compared, comparison.agreed, comparison.differ) == (2, 1, 1)
    (one,) = comparison.exceptions
    assert (one.line, one.loan_id, one.stated.minor, one.computed.minor) == (
        3,
        "L-2",
        105_278,
        105_276,
    )


def test_a_byte_order_mark_is_no_part_of_the_first_column(read: Read) -> None:
    """Spreadsheets write one."""
    assert len(read(GOOD, encoding="utf-8-sig").rows) == 1


def test_text_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    """A file in another encoding is never read half."""
    path = tmp_path / "tape.csv"
    path.write_bytes(HEADER.encode() + b"\n" + GOOD.replace("L-1", "L-\xe4").encode("latin-1"))
    with pytest.raises(SourceRefused, match="UTF-8"):
        read_tape(path, CANONICAL_MAP, PRODUCTS, load_calendar)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "a header of 1 to"),
        (HEADER.replace("principal", "loan_id"), "each column once"),
        (HEADER.replace("principal", "prinzipal"), "'prinzipal' is refused: a canonical column"),
        (HEADER.replace("principal", "prinzipal"), "'principal' is refused: must be there"),
    ],
)
def test_a_header_that_cannot_be_read_refuses_the_file(read: Read, header: str, said: str) -> None:
    """A misspelt column is reported at once, not once for each row."""
    with pytest.raises(SourceRefused, match=said):
        read(GOOD, header=header)


def test_broken_csv_and_endless_lines_are_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits hold before anything is kept."""
    with pytest.raises(SourceRefused, match="well-formed CSV"):
        read(GOOD.replace("L-1", '"L-1" x'))
    with pytest.raises(SourceRefused, match="at most 65536 characters"):
        read("x" * 70_000)
    monkeypatch.setattr(csvtable, "MOST_ROWS", 1)
    with pytest.raises(SourceRefused, match="rows: 2 is refused: at most 1"):
        read(GOOD, GOOD)
    monkeypatch.setattr(csvtable, "MOST_BYTES", 10)
    with pytest.raises(SourceRefused, match="at most 10 bytes"):
        read(GOOD)


def test_a_tape_without_rows_is_refused_and_blank_lines_are_none(read: Read) -> None:
    """An empty file is a mistake, not success."""
    with pytest.raises(SourceRefused, match="at least one loan"):
        read("", "  ")


def test_a_limit_reads_the_first_rows_only(read: Read) -> None:
    """What lies behind it is not looked at."""
    report = read(GOOD, "broken", limit=1)
    assert (len(report.rows), report.fault_count) == (1, 0)


def test_a_cut_loan_keeps_its_installments_and_repays_itself(read: Read) -> None:
    """Three months of a year: the same three amounts, and a principal that they repay."""
    whole, short = read(GOOD).rows[0], read(GOOD, months=3).rows[0]
    assert [x.total for x in short.schedule] == [x.total for x in whole.schedule[:3]]
    assert short.principal_minor == sum(x.principal for x in whole.schedule[:3])
    assert short.schedule[-1].balance == 0
    assert read(GOOD, months=99).rows[0] == whole
    with pytest.raises(InvalidInput, match="months"):
        read(GOOD, months=0)


def test_a_shifted_tape_falls_due_from_the_day_given(read: Read) -> None:
    """Row n is due n days later, within the spread, and was lent one month before."""
    rows_ = [GOOD.replace("L-1", f"L-{n}").replace("cn-personal", "cn-business") for n in range(3)]
    first = date(2026, 3, 2)
    due = [
        (command.disbursed_on, command.schedule[0].due_on)
        for command in read(*rows_, shift=Shift(first, 2)).rows
    ]
    assert due == [
        (date(2026, 2, 2), first),
        (date(2026, 2, 3), date(2026, 3, 3)),
        (date(2026, 2, 2), first),
    ]
    with pytest.raises(InvalidInput, match="spread_days"):
        Shift(first, 0)


def test_products_are_chosen_by_the_first_rule_that_fits(read: Read) -> None:
    """Every condition of a rule must hold; a row that none fits is a fault."""
    columns = {name: name for name in REQUIRED if name != "product"}
    rules = [
        {"product": "us-personal", "column": "region", "equals": "US"},
        {"product": "cn-business", "principal_most": 5000, "periods_most": 6},
        {"product": "cn-personal", "currency": "CNY", "periods_most": 24},
    ]
    tape_map = TapeMap.model_validate(
        {"columns": {**columns, "currency": "ccy"}, "product_rules": rules}
    )
    header = "loan_id,principal,annual_rate,periods,disbursed_on,region,ccy"
    lines = (
        "A,9000,10,36,2026-01-15,US,USD",
        "B,4000,10,6,2026-01-15,CN,CNY",
        "C,9000,10,12,2026-01-15,CN,CNY",
        "D,9000,10,36,2026-01-15,CN,CNY",
    )
    report = read(*lines, header=header, tape_map=tape_map)
    chosen = {command.loan_id: command.product.id for command in report.rows}
    assert chosen == {"A": "us-personal", "B": "cn-business", "C": "cn-personal"}
    assert [(fault.line, fault.field) for fault in report.faults] == [(5, "product")]


def test_rates_as_fractions_and_months_without_a_day_are_mapped(read: Read) -> None:
    """0.12 is twelve percent, and 2026-01 is the day of January that the map gives."""
    tape_map = TapeMap.model_validate(
        {
            "columns": {
                "loan_id": "id",
                "principal": "amt",
                "annual_rate": "r",
                "periods": "n",
                "disbursed_on": "m",
            },
            "constants": {"product": "cn-personal", "tenant": "acme"},
            "templates": {"borrower": "{tenant}-{loan_id}"},
            "units": {"annual_rate": "fraction"},
            "dates": {"format": "month", "day": 20},
        }
    )
    report = read("7,1000,0.12,12,2026-01", header="id,amt,r,n,m", tape_map=tape_map)
    (command,) = report.rows
    assert (command.borrower, command.disbursed_on) == ("acme-7", date(2026, 1, 20))
    assert command.schedule[0].interest == 1000
    (fault,) = read("7,1000,0.12,12,January", header="id,amt,r,n,m", tape_map=tape_map).faults
    assert fault.rule == "a date written YYYY-MM"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[columns]\nloan_id = 'a'", "must come from a column"),
        ("[columns]\nloan_idd = 'a'", "no such field"),
        ("[constants]\nloan_id = 'x'\n[columns]\nloan_id = 'a'", "from one place only"),
        ("[columns\n", "TOML"),
        ("colums = 1", "no such field"),
        ("[dates]\nformat = 'month'", "day .1 to 28. is given"),
        ("[[product_rules]]\nproduct = 'a'\ncolumn = 'b'", "given together"),
        (
            "[templates]\nloan_id = '{nothing}'\n"
            + "".join(f"{n} = 'x'\n" for n in REQUIRED if n != "loan_id"),
            "names .'nothing'.",
        ),
    ],
)
def test_a_map_that_breaks_a_rule_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """The file is named, and every field with its rule."""
    path = tmp_path / "map.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SourceRefused, match=said):
        read_map(path)
    path.write_bytes(b"#" * 100_000)
    with pytest.raises(SourceRefused, match="bytes"):
        read_map(path)


def test_the_sample_tape_is_good_and_the_examples_use_every_canonical_column() -> None:
    """The example that docs point to works, and shows all there is, with that of loans in progress.

    Its history and its control rows are read in tests/cli.
    """
    tapes = ROOT / "examples" / "tapes"
    tape, used = tapes / "sample.csv", set()
    for name in (tape, tapes / "in_progress.csv"):
        used |= set(name.read_text(encoding="utf-8").splitlines()[0].split(","))
    assert used == set(CANONICAL)
    report = read_tape(tape, CANONICAL_MAP, PRODUCTS, load_calendar)
    assert (len(report.rows), report.fault_count) == (8, 0)
    assert report.comparison.differ == 0


def test_five_thousand_real_loans_agree_with_the_lenders_own_installment() -> None:
    """All but the two rows at 6 % that the source has wrong; they are listed, not bent."""
    tape = ROOT.parent / "shared" / "data" / "loans" / "lendingclub-2018q1.csv"
    if not tape.is_file():
        pytest.skip("the sample loans are not here (../shared/data/loans)")
    report = read_tape(tape, read_map(LENDING_CLUB), PRODUCTS, load_calendar)
    assert (len(report.rows), report.fault_count) == (5000, 0)
    comparison = report.comparison
    assert (comparison.compared, comparison.agreed) == (5000, 4998)
    assert [item.loan_id for item in comparison.exceptions] == ["LC01548", "LC01968"]


@pytest.mark.parametrize("bad", ['"L\r1"', "L\x1b[2J1", "L\u20281", '"L\n1"'])
def test_a_control_character_in_an_id_is_refused_by_name(read: Read, bad: str) -> None:
    """An id over two lines, or one that moves a cursor, never reaches the books."""
    report = read(GOOD.replace("L-1", bad, 1), header=HEADER)
    assert not report.rows
    assert [(fault.field, fault.rule) for fault in report.faults] == [("loan_id", PLAIN_RULE)]


def test_white_space_around_a_cell_is_no_part_of_it(read: Read) -> None:
    """A list from another system ends its lines with CR."""
    assert read(f" {GOOD}\r").rows[0].loan_id == "L-1"
