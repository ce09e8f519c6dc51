"""The commands that compute: their contracts, and how they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.tree import run

SCHEDULE = [
    *("schedule", "--principal", "5000", "--rate", "12", "--periods", "18"),
    *("--disbursed", "2022-11-01", "--first-due", "2022-12-01", "--every", "1m"),
    *("--currency", "EUR"),
]
PAYOFF = [
    *("payoff", "--principal", "12000", "--rate", "12", "--periods", "12"),
    *("--method", "equal-installment", "--disbursed", "2024-01-15", "--currency", "CNY"),
    *("--as-of", "2024-05-03"),
]


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What a command prints with --json."""
    assert run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refusal(capsys: pytest.CaptureFixture[str], *words: str, code: int = 2) -> str:
    """What a command says when it refuses: one line, no traceback, nothing on standard output."""
    assert run(list(words)) == code
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    assert said.out == ""
    return said.err


@pytest.mark.parametrize(
    "method", ["equal-installment", "equal-principal", "interest-only", "flat", "zero", "bullet"]
)
@pytest.mark.parametrize("count", ["months", "30/360", "30E/360", "ACT/365F", "ACT/360", "ACT/ACT"])
def test_a_schedule_has_the_agreed_keys_and_decimal_strings(
    capsys: pytest.CaptureFixture[str], method: str, count: str
) -> None:
    """Every method under every day count, principal summing to what was lent."""
    rows = answer(capsys, *SCHEDULE, "--method", method, "--day-count", count)
    names = ["number", "due_on", "days", "principal", "interest", "total", "balance"]
    assert list(rows[0]) == names
    assert sum(round(float(row["principal"]) * 100) for row in rows) == 500_000
    assert rows[-1]["balance"] == "0.00"


def test_a_schedule_takes_every_option_of_its_contract(capsys: pytest.CaptureFixture[str]) -> None:
    """Rounded installment, balloon, rate change, drawdown, grace, anchor, last due date."""
    rows = answer(
        capsys,
        *(*SCHEDULE, "--method", "balloon", "--balloon", "1000", "--anchor-day", "31"),
        *("--round-installment-to", "1", "--rate-change", "2023-05-01=6", "--last-due"),
        *("2024-05-20", "--drawdown", "2023-01-15=500", "--principal-grace", "1"),
        *("--interest-free", "1", "--rounding", "half-even"),
    )
    assert rows[0]["total"] == "0.00"
    assert rows[1]["due_on"] == "2023-01-31"
    assert rows[-1]["due_on"] == "2024-05-20"


def test_a_calendar_moves_due_dates_and_says_what_is_confirmed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """1 January 2027 is not gazetted yet: moved by weekends only, and reported."""
    words = [
        *("schedule", "--principal", "100", "--periods", "2", "--method", "zero", "--currency"),
        *("CNY", "--disbursed", "2026-11-01", "--first-due", "2026-12-05", "--calendar", "CN"),
    ]
    assert run([*words, "--json"]) == 0
    said = capsys.readouterr()
    rows = json.loads(said.out)
    assert [row["due_on"] for row in rows] == ["2026-12-07", "2027-01-05"]
    assert [row["scheduled_on"] for row in rows] == ["2026-12-05", "2027-01-05"]
    assert [row["confirmed"] for row in rows] == [True, False]
    assert "1 due dates lie outside" in said.err


def test_zero_interest_says_that_a_rate_is_not_used(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error; the answer stays clean."""
    assert run([*SCHEDULE, "--method", "zero"]) == 0
    assert "not used" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "equal"], "method: 'equal' is refused"),
        (["--method", "flat", "--day-count", "ACT"], "day_count: 'ACT' is refused"),
        (["--method", "flat", "--rate-change", "2023-01-01"], "rate_change"),
        (["--method", "flat", "--rate-change", "1.1.2023=5"], "rate_change: '1.1.2023'"),
        (["--method", "flat", "--calendar", "MARS"], "calendar: 'MARS' is refused"),
        (["--method", "flat", "--adjust", "up"], "adjust: 'up' is refused"),
        (["--method", "explicit"], "method"),
        (["--method", "flat", "--last-due", "2022-01-01"], "last_due"),
    ],
)
def test_a_wrong_word_is_named_with_its_value_and_rule(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """Exit code 2, one line."""
    assert said in refusal(capsys, *SCHEDULE, *words)


@pytest.mark.parametrize(
    ("words", "apr"),
    [
        (["us-actuarial", "--advance", "5000", "--payment", "230x24"], "9.69"),
        (
            [
                *("us-actuarial", "--advance", "10000", "--payment", "385x40"),
                *("--unit-period", "3m", "--odd-days", "39"),
            ],
            "8.97",
        ),
        (
            [
                *("us-actuarial", "--advance", "8000", "--payment", "449.36", "--payment"),
                *("465x18", "--payment", "200", "--unit-period", "2m", "--odd-periods", "52/60"),
            ],
            "7.30",
        ),
        (["eu", "--advance", "1000@2000-01-01", "--payment", "1200@2001-07-01"], "12.92"),
        (["eu", "--advance", "1000", "--payment", "600x2/1y"], "13.07"),
        (["irr", "--advance", "100@2023-01-01", "--payment", "110@2024-01-01"], "10.00"),
    ],
)
def test_published_rates_come_out_of_the_command(
    capsys: pytest.CaptureFixture[str], words: list[str], apr: str
) -> None:
    """Regulation Z and the directive, undated and dated."""
    assert answer(capsys, "apr", "--method", *words)["apr"] == apr


def test_flows_of_a_file_give_the_same_rate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """By date, by period, and by period with a fraction such as 52/60."""
    file = tmp_path / "flows.csv"
    file.write_text("period,fraction,amount\n0,0,-1000\n1,0.5,1200\n")
    words = ["apr", "--method", "eu", "--unit-period", "year", "--flows", str(file)]
    assert answer(capsys, *words)["apr"] == "12.92"
    file.write_text("date,amount\n2000-01-01,-1000\n2001-07-01,1200\n")
    assert answer(capsys, *words)["apr"] == "12.92"
    file.write_text("period,amount\n0,-1000\n18,1200\n")
    found = answer(capsys, "apr", "--method", "eu", "--flows", str(file), "--decimals", "4")
    assert found["apr"] == "12.9243"
    rows = ["0,0,-8000", "0,52/60,449.36", *(f"{k},52/60,465" for k in range(1, 19))]
    file.write_text("\n".join(["period,fraction,amount", *rows, "19,52/60,200"]))
    found = answer(
        *(capsys, "apr", "--method", "us-actuarial", "--unit-period", "2m", "--flows", str(file))
    )
    assert found["apr"] == "7.30"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when,amount\n1,2\n", "flows header"),
        ("date,amount\n2024-01-01\n", "line 2: columns: 1 is refused: 2"),
        ("date,amount\n2024-01-32,5\n", "flows line 2 date"),
        ("date,amount\n2024-01-01,x\n", "flows line 2 amount"),
        ("date,amount\n2024-01-01,1.23456\n", "four decimals"),
        ("period,fraction,amount\n1.5,0,5\n", "flows line 2 period"),
        ("period,fraction,amount\n1,1,5\n", "period"),
        ("period,amount\n-1,5\n", "not negative"),
        ("period,amount\n1,5\n", "advance"),
    ],
)
def test_a_faulty_flow_file_is_refused_by_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, said: str
) -> None:
    """Line, column, value and rule."""
    file = tmp_path / "flows.csv"
    file.write_text(text)
    assert said in refusal(capsys, "apr", "--method", "eu", "--flows", str(file))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "advance"),
        (["--advance", "5"], "payment"),
        (["--advance", "5", "--payment", "6", "--odd-days", "-1"], "odd_days"),
        (["--advance", "5@2024-01-01", "--payment", "6", "--odd-days", "1"], "odd_days"),
        (["--advance", "5", "--advance", "5", "--payment", "6"], "advance"),
        (["--advance", "5@", "--payment", "6"], "advance"),
        (["--advance", "5", "--payment", "6x0"], "count"),
        (["--advance", "5", "--payment", "6/7q"], "unit_period"),
        (["--advance", "5", "--payment", "4"], "there is none"),
        (["--advance", "5", "--payment", "6", "--flows", "x.csv"], "alone"),
        (["--flows", "absent.csv"], "must exist"),
    ],
)
def test_an_apr_that_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """Missing, doubled or contradicting words."""
    assert said in refusal(capsys, "apr", "--method", "us-actuarial", *words)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Two past due installments, as in Apache Fineract's Loan.feature."""
    file = tmp_path / "state.json"
    document = {
        "currency": "USD",
        "as_of": "2024-05-01",
        "installments": [
            {"number": 3, "due_on": "2024-03-01", "owed": {"penalty": "20", "principal": "250"}},
            {"number": 4, "due_on": "2024-04-01", "penalty": 20, "principal": 250.0},
        ],
    }
    file.write_text(json.dumps(document))
    return file


@pytest.mark.parametrize(
    ("direction", "second"),
    [("horizontal", (3, "principal", "15.00")), ("vertical", (4, "penalty", "15.00"))],
)
def test_allocation_follows_the_direction(
    capsys: pytest.CaptureFixture[str], state: Path, direction: str, second: tuple[int, str, str]
) -> None:
    """35 on two past due installments: the published vectors."""
    found = answer(
        *(capsys, "allocate", "--state", str(state), "--amount", "35", "--direction", direction),
        *("--order", "penalty,fee,principal,interest"),
    )
    rows = [tuple(row.values()) for row in found["allocations"]]
    assert rows == [(3, "penalty", "20.00"), second]
    assert (found["allocated"], found["rest"]) == ("35.00", "0.00")


def test_allocation_takes_the_other_options(
    capsys: pytest.CaptureFixture[str], state: Path
) -> None:
    """Designation, principal first by days past due, a bare list, a date of its own."""
    document = json.loads(state.read_text())["installments"]
    state.write_text(json.dumps(document))
    found = answer(
        *(capsys, "allocate", "--state", str(state), "--amount", "1000", "--order"),
        *("cn-contract", "--as-of", "2024-09-01", "--designated", "4", "--currency", "USD"),
        *("--principal-first-from-dpd", "91", "--future", "advance", "--due-with-past-due"),
    )
    assert [row["number"] for row in found["allocations"]] == [4, 4, 3, 3]
    assert found["allocations"][0]["component"] == "principal"
    assert found["rest"] == "460.00"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense", "one JSON document"),
        ('{"installments": 5}', "state"),
        ('{"installments": [5]}', "installment 1"),
        ('{"installments": [{"number": 1, "owed": 5}]}', "installment 1 owed"),
        ('{"installments": [{"number": 1, "due_on": "x"}]}', "installment 1 due_on"),
        ('{"installments": [{"number": 1, "fee": "x"}]}', "installment 1 fee"),
        ('{"installments": [{"number": 1, "fee": "-1"}]}', "not negative"),
        ('{"installments": []}', "as_of"),
    ],
)
def test_a_faulty_state_is_refused_by_installment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, said: str
) -> None:
    """Which installment, which field, what was wrong."""
    file = tmp_path / "state.json"
    file.write_text(text)
    words = ["allocate", "--state", str(file), "--amount", "1", "--order", "cn-contract"]
    assert said in refusal(capsys, *words)


def test_a_payoff_names_the_reason_of_each_part(capsys: pytest.CaptureFixture[str]) -> None:
    """18 days on 9132.95 at 12 percent are 54.80."""
    found = answer(capsys, *PAYOFF, "--paid-through", "3", "--penalty", "1.23")
    assert [part["amount"] for part in found["parts"]] == ["1.23", "54.80", "9132.95"]
    assert all(part["why"] for part in found["parts"])
    assert found["total"] == "9188.98"


def test_a_part_payment_gives_the_schedule_that_follows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In JSON and as tables."""
    words = [*PAYOFF, "--prepay", "3000", "--effect", "smaller-installment", "--fee", "1"]
    found = answer(capsys, *words)
    assert (found["principal"], found["left"]) == ("2916.04", "0.00")
    assert found["schedule"][-1]["balance"] == "0.00"
    assert run(words) == 0
    assert "smaller-installment" in capsys.readouterr().out


def test_penalty_takes_steps_caps_and_excused_days(capsys: pytest.CaptureFixture[str]) -> None:
    """Ten days less two, the second half dearer, limited to 5.00."""
    words = [
        *("penalty", "--principal", "1000", "--interest", "100", "--on-interest", "--rate", "18"),
        *("--due", "2024-01-01", "--to", "2024-01-11", "--excused", "2024-01-02/2024-01-03"),
        *("--step", "6=36", "--currency", "CNY"),
    ]
    found = answer(capsys, *words)
    assert (found["penalty"], found["days"]) == ("7.15", 8)
    assert answer(capsys, *words, "--cap", "5")["penalty"] == "5.00"
    assert answer(capsys, *words, "--from", "2024-01-10")["days"] == 2
    assert answer(capsys, *words, "--compounding")["penalty"] == "7.17"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--step", "6"], "step"),
        (["--step", "x=6"], "step"),
        (["--excused", "2024-01-03/2024-01-02"], "excused"),
        (["--day-basis", "364"], "day_basis"),
    ],
)
def test_a_penalty_that_cannot_be_is_refused(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """By option and value."""
    base = ["penalty", "--principal", "1", "--rate", "1", "--due", "2024-01-01"]
    assert said in refusal(capsys, *base, "--to", "2024-02-01", "--currency", "CNY", *words)


def test_days_outside_what_is_confirmed_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """The next banking day after New Year 2027 is a guess, and says so."""
    assert run(["next-banking-day", "CN", "2027-01-01"]) == 0
    said = capsys.readouterr()
    assert said.out == "2027-01-04\n"
    assert "only weekends are known" in said.err
    found = answer(capsys, "next-banking-day", "CN", "2026-02-15", "--count", "0")
    assert found == {
        "calendar": "CN",
        "after": "2026-02-15",
        "date": "2026-02-24",
        "confirmed": True,
    }
    kinds = answer(capsys, "calendar", "CN", "--from", "2020-01-31", "--to", "2020-02-04")
    assert [row["kind"] for row in kinds] == [
        *("holiday", "holiday", "holiday", "working day by notice", "working day")
    ]
    assert "'2026-01-01' is refused" in refusal(
        *(capsys, "calendar", "CN", "--from", "2026-01-02", "--to", "2026-01-01")
    )


PRODUCTS = Path(__file__).resolve().parents[2] / "examples" / "products"
PAID_BEFORE = {"due_on": "2024-01-15", "principal": "1000", "balance": "0"}


def loan(**changed: Any) -> dict[str, Any]:
    """A loan as `acquit loan check` reads it."""
    return {
        "principal": "1000",
        "rate": "12",
        "periods": 12,
        "method": "equal-installment",
        "disbursed": "2024-01-15",
        "currency": "CNY",
    } | changed


def test_a_good_loan_passes_and_a_dear_one_names_the_cap(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit 0, and exit 1 with the rule, the cap and the figure."""
    file = tmp_path / "loan.json"
    file.write_text(json.dumps(loan(upfront_fee="50", installment="88.85")))
    (found,) = answer(capsys, "loan", "check", str(file), "--cap", "line=24")
    assert (found["ok"], found["nominal"], found["installment"]) == (True, "21.86", "88.85")
    assert run(["loan", "check", str(file), "--cap", "line=12"]) == 1
    assert "line: 21.8569 % is above 12 %" in capsys.readouterr().err


def test_a_broken_cap_is_reported_to_programs_by_rule_measure_cap_and_figure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Ceilings of law by their ids; every one that is broken, in order; exit 1."""
    file = tmp_path / "loan.json"
    file.write_text(json.dumps(loan(rate="24", each_fee="90")))
    caps = ["cn-institutions-24", "cn-private-4xlpr=3.0", "uk-high-cost", "own=500"]
    words = [word for cap in caps for word in ("--cap", cap)]
    assert run(["loan", "check", str(file), *words, "--json"]) == 1
    said = capsys.readouterr()
    (found,) = json.loads(said.out)
    assert found["ok"] is False
    assert found["caps_exceeded"] == [
        {
            "rule": "CN jin-gui [2025] 9: total financing cost of a single loan",
            "measure": "nominal",
            "cap": "24",
            "figure": "180.1197",
        },
        {
            "rule": "CN private lending: 4 x one-year LPR",
            "measure": "nominal",
            "cap": "12.0",
            "figure": "180.1197",
        },
        {
            "rule": "UK CONC 5A: total cost of high-cost credit",
            "measure": "total",
            "cap": "100",
            "figure": "121.4700",
        },
    ]
    assert "UK CONC 5A: total cost of high-cost credit: 121.4700 % is above 100 %" in said.err


@pytest.mark.parametrize(("rate", "code"), [("24", 0), ("24.01", 1)])
def test_a_loan_exactly_at_its_cap_passes_and_one_basis_point_more_does_not(
    tmp_path: Path, rate: str, code: int
) -> None:
    """Rows are rounded to the cent: that alone refuses nobody."""
    file = tmp_path / "loan.json"
    file.write_text(json.dumps(loan(principal="10000", rate=rate)))
    assert run(["loan", "check", str(file), "--cap", "cn-institutions-24"]) == code


def test_a_loan_is_held_to_the_ceilings_and_fees_of_its_product(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Terms that are not given are the product's; the guarantor's fee counts; dates are moved."""
    given = {"principal": "10000", "rate": "21", "periods": 12, "disbursed": "2026-01-15"}
    file = tmp_path / "loan.json"
    file.write_text(json.dumps([given, given | {"rate": "19", "product": "cn-guaranteed@1"}]))
    product = str(PRODUCTS / "cn-guaranteed.toml")
    assert run(["loan", "check", str(file), "--product", product, "--json"]) == 1
    dear, good = json.loads(capsys.readouterr().out)
    assert [one["rule"].partition(":")[0] for one in dear["caps_exceeded"]] == [
        "CN jin-gui [2025] 9",
        "price list 2026",
    ]
    assert good["ok"] is True
    # From the 15th to the next banking day: a little below 19 percent and the fee on unmoved days.
    assert good["nominal"] == "23.02"
    assert run(["loan", "check", str(file), "--product", str(PRODUCTS)]) == 2
    assert "loan 1: product: '' is refused: one of cn-business@1" in capsys.readouterr().err


def test_every_loan_of_the_sample_tape_is_good_by_its_product(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """All columns of a tape are known here, and what is boarded from it passes the check."""
    tape = PRODUCTS.parent / "tapes" / "sample.csv"
    found = answer(capsys, "loan", "check", str(tape), "--product", str(PRODUCTS))
    assert len(found) == 8
    assert all(one["ok"] for one in found), found


def test_a_product_without_ceilings_gives_its_terms_all_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Equal principal by ACT/360 in CNY, as the file says."""
    file = tmp_path / "loan.csv"
    file.write_text("principal,rate,periods,disbursed,product\n1200,12,12,2026-01-15,cn-business\n")
    (found,) = answer(capsys, "loan", "check", str(file), "--product", str(PRODUCTS))
    assert (found["installment"], found["ok"]) == ("112.40", True)


def test_explicit_rows_are_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Rows that add up pass; one cent off is refused by row and column."""
    rows = [
        {"due_on": "2024-02-15", "principal": "400", "interest": "10", "balance": "600"},
        {"due_on": "2024-03-15", "principal": "600", "interest": "6", "balance": "0"},
    ]
    file = tmp_path / "loan.json"
    file.write_text(json.dumps([loan(method="explicit", rows=rows)]))
    assert answer(capsys, "loan", "check", str(file))[0]["interest"] == "16.00"
    rows[1]["principal"] = "599.99"
    file.write_text(json.dumps([loan(method="explicit", rows=rows)]))
    assert run(["loan", "check", str(file)]) == 2
    assert "row 2 balance" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"principal": "1000.005"}, "principal"),
        ({"disbursed_on": "2024-02-30"}, "disbursed"),
        ({"periods": "twelve"}, "periods"),
        ({"colour": "blue"}, "colour"),
        ({"installment": "88.83"}, "installment"),
        ({"method": "explicit", "rows": [5]}, "row 1"),
        ({"rows": [5]}, "rows"),
        ({"method": "explicit", "rows": [PAID_BEFORE]}, "row 1 due_on"),
        ({"rate_change": ["2024-05-01"]}, "rate_change"),
    ],
)
def test_a_faulty_loan_is_refused_by_field(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    """Exit 2; the loan, the field, the value and the rule."""
    file = tmp_path / "loan.json"
    file.write_text(json.dumps(loan(**changed)))
    assert run(["loan", "check", str(file)]) == 2
    assert f"loan 1: {said}" in capsys.readouterr().err


@pytest.mark.parametrize("cap", ["=24", "cn-25", "cn-private-4xlpr", "line=much"])
def test_a_cap_that_nobody_knows_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, cap: str
) -> None:
    """A misspelt ceiling must not pass for a loan below it."""
    file = tmp_path / "loan.json"
    file.write_text(json.dumps(loan()))
    refusal(capsys, "loan", "check", str(file), "--cap", cap)


def test_a_tape_is_checked_row_by_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Canonical names of a tape are understood; the bad line is named, the good one counted."""
    file = tmp_path / "tape.csv"
    file.write_text(
        "loan_id,principal,annual_rate,periods,disbursed_on,first_due_on,currency\n"
        "A,1000,12,12,2024-01-15,2024-02-15,CNY\n"
        "B,0,12,12,2024-01-15,2024-02-15,CNY\n"
    )
    assert run(["loan", "check", str(file)]) == 2
    said = capsys.readouterr()
    assert "1 of 2 loans are good" in said.out
    assert "line 3: principal" in said.err


@pytest.mark.parametrize(
    "command",
    ["schedule", "apr", "allocate", "payoff", "penalty", "calendar", "next-banking-day"],
)
def test_every_command_shows_an_example(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """`--help` ends with a line that can be tried."""
    assert run([command, "--help"]) == 0
    assert "Example: acquit" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["[]", "principal,rate\n"], ids=["json", "csv"])
def test_a_file_without_a_loan_is_refused(content: str, tmp_path: Path) -> None:
    """None of none are good: somebody has sent the wrong file."""
    file = tmp_path / ("loans.json" if content == "[]" else "loans.csv")
    file.write_text(content, encoding="utf-8")
    assert run(["loan", "check", str(file)]) == 2
