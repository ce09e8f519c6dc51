"""What the commands of arithmetic say about amounts and terms, and how they refuse them."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.tree import run
from tests.cli.test_arithmetic_commands import PAYOFF, answer, refusal

APR = ["apr", "--method", "us-actuarial"]
PENALTY = ["penalty", "--rate", "12", "--due", "2024-01-01", "--currency", "CNY"]


def test_a_penalty_of_nothing_is_a_plain_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """Decimal strings: 0.0000000000, never 0E-10."""
    found = answer(capsys, *PENALTY, "--principal", "1000", "--to", "2024-01-01")
    assert (found["penalty"], found["exact"]) == ("0.00", "0.0000000000")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*PENALTY, "--to", "2024-01-11", "--principal", "-5"], "principal: '-5' is refused"),
        (
            [*PENALTY, "--to", "2024-01-11", "--principal", "5", "--interest", "-1"],
            "interest: '-1' is refused: not negative",
        ),
        (
            [*PENALTY, "--to", "2024-01-11", "--principal", "5", "--cap", "-1"],
            "cap: '-1' is refused: not negative",
        ),
        (
            [*PENALTY, "--to", "2024-01-11", "--principal", "5", "--cap-rate", "-1"],
            "cap rate: -1 is refused",
        ),
        (
            [*PENALTY, "--to", "2024-01-11", "--principal", "5", "--cap-percent", "-1"],
            "cap_percent: '-1' is refused: not negative",
        ),
        (
            [*APR, "--odd-periods", "2", "--advance", "5@2024-01-01", "--payment", "6@2024-02-01"],
            "odd_periods: '2' is refused: none: the dates say it",
        ),
        ([*APR, "--advance", "5", "--payment", "0"], "amount: 0 is refused: above zero"),
        ([*PAYOFF, "--penalty", "-1"], "penalty: '-1' is refused: not negative"),
        ([*PAYOFF, "--prepay", "-1"], "prepay: '-1' is refused: not negative"),
        ([*PAYOFF, "--prepay", "3000", "--penalty", "1"], "penalty: 100 is refused"),
        ([*PAYOFF, "--prepay", "3000", "--paid-through", "2"], "paid_through: 2 is refused: 3"),
    ],
)
def test_amounts_below_zero_and_contradictions_are_refused_as_written(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """A debt below nothing has no penalty; a part is repaid early when all that is due is paid."""
    assert said in refusal(capsys, *words)


@pytest.mark.parametrize(
    ("words", "exact", "rate"),
    [
        (["--uplift", "50"], "30.0000000000", "18"),
        # A cap of 15 percent a year also holds where a step would be dearer.
        (["--uplift", "50", "--cap-rate", "15"], "25.0000000000", "15"),
        (["--step", "31=36", "--cap-rate", "24"], "30.0000000000", "12"),
        (["--uplift", "50", "--cap-percent", "2.5"], "25.0000000000", "18"),
        (["--uplift", "50", "--cap", "24.99", "--cap-percent", "2.5"], "24.9900000000", "18"),
    ],
)
def test_a_penalty_is_capped_in_money_in_rate_and_in_percent_of_the_debt(
    capsys: pytest.CaptureFixture[str], words: list[str], exact: str, rate: str
) -> None:
    """1000 for 60 days: at 18, 15, 12 then 24 percent over 360; the strictest cap wins."""
    found = answer(capsys, *PENALTY, "--principal", "1000", "--to", "2024-03-01", *words)
    assert (found["exact"], found["annual_rate"], found["days"]) == (exact, rate, 60)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "explicit"], "method: 'explicit' is refused"),
        (["--method", "flat", "--rate", "-1"], "rate: -1 is refused"),
        (["--method", "flat", "--first-due", "2024-01-15"], "first_due: 2024-01-15 is refused"),
    ],
)
def test_a_value_is_refused_as_people_write_it(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """Dates, rates and choices as they were written, not as Python shows them."""
    usual = ["schedule", "--principal", "5", "--periods", "2", "--disbursed", "2024-01-15"]
    assert said in refusal(capsys, *usual, "--currency", "EUR", *words)


def test_a_part_payment_says_which_installments_it_takes_as_paid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Three were due by then; saying so oneself needs no note."""
    words = [*PAYOFF, "--prepay", "3000", "--json"]
    assert run(words) == 0
    found = capsys.readouterr()
    assert "installments 1 to 3, due up to 2024-05-03, are taken as paid" in found.err
    assert run([*words, "--paid-through", "3"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out == found.out


@pytest.mark.parametrize(
    ("words", "principal", "accrued"),
    [
        # RS02 of Apache Fineract: 305 a month leaves 4227.32 of 5000 after three.
        (["--method", "equal-installment", "--round-installment-to", "1"], "4227.32", "23.95"),
        (["--method", "balloon", "--balloon", "1000"], "4382.07", "24.83"),
        (["--method", "interest-only", "--rate-change", "2023-02-01=24"], "5000.00", "56.67"),
        (["--method", "equal-principal", "--principal-grace", "3"], "5000.00", "28.33"),
        (["--method", "equal-principal", "--interest-free", "4"], "4166.66", None),
    ],
)
def test_a_payoff_is_quoted_on_every_term_that_a_schedule_may_have(
    capsys: pytest.CaptureFixture[str], words: list[str], principal: str, accrued: str | None
) -> None:
    """5000 at 12 percent over 18 months, paid for three of them and 17 days."""
    usual = [
        *("payoff", "--principal", "5000", "--rate", "12", "--periods", "18", "--currency", "EUR"),
        *("--disbursed", "2022-11-01", "--first-due", "2022-12-01", "--paid-through", "3"),
        *("--as-of", "2023-02-18", "--json"),
    ]
    assert run([*usual, *words]) == 0
    parts: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["parts"]
    by_component = {part["component"]: part["amount"] for part in parts}
    assert by_component == {"principal": principal} | ({"interest": accrued} if accrued else {})


@pytest.mark.parametrize(
    "text",
    [
        "date,amount\n2020-01-01,-1000\n2021-01-01,600\n2022-01-01,600\n",
        "Date, Amount\n2020-01-01, -1000\n2021-01-01, 600\n2022-01-01, 600\n",
        "\ufeffamount,date\r\n-1000,2020-01-01 \r\n600,2021-01-01\r\n600,2022-01-01\r\n",
    ],
)
def test_a_file_of_flows_may_have_spaces_and_capitals_in_its_header(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str
) -> None:
    """As spreadsheets write it: 600 a year for two years repay 1000 at 13.07 percent."""
    file = tmp_path / "flows.csv"
    file.write_text(text, encoding="utf-8", newline="")
    assert answer(capsys, "apr", "--method", "eu", "--flows", str(file))["apr"] == "13.07"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["next-banking-day", "NONE", "9999-12-31"], "day: '9999-12-31' is refused"),
        (["next-banking-day", "NONE", "0001-01-01", "--count", "-5"], "from 1900 to 2999"),
        (
            [*PENALTY, "--to", "2024-02-01", "--principal", "5", "--grace", "999999999999"],
            "grace_days: 999999999999 is refused: from 0 to 3660",
        ),
    ],
)
def test_days_off_the_calendar_are_refused_and_no_fault(
    capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """Python's calendar ends in 9999: a day after it is a word to refuse, not an error of ours."""
    assert said in refusal(capsys, *words)


def test_what_is_owed_is_named_by_known_components_only(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A misspelt component would be a debt that nobody pays."""
    file = tmp_path / "state.json"
    row = {"number": 3, "due_on": "2024-03-01", "owed": {"penalties": "20", "principal": "250"}}
    file.write_text(json.dumps([row]))
    words = ["allocate", "--state", str(file), "--amount", "35", "--order", "principal"]
    said = refusal(capsys, *words, "--as-of", "2024-05-01")
    assert "installment 1 owed: 'penalties' is refused: one of principal, interest" in said


def test_rows_of_a_schedule_are_a_state_to_allocate_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What one command prints the other reads: 1000 in two months, 510 paid on time."""
    words = ["schedule", "--principal", "1000", "--rate", "12", "--periods", "2"]
    words += ["--method", "equal-principal", "--disbursed", "2024-01-01", "--currency", "EUR"]
    rows = answer(capsys, *words)
    file = tmp_path / "state.json"
    file.write_text(json.dumps(rows))
    words = ["allocate", "--state", str(file), "--amount", "510", "--order", "interest,principal"]
    found = answer(capsys, *words, "--as-of", "2024-02-01", "--currency", "EUR")
    assert [
        (part["number"], part["component"], part["amount"]) for part in found["allocations"]
    ] == [
        (1, "interest", "10.00"),
        (1, "principal", "500.00"),
    ]
    assert found["rest"] == "0.00"
