"""`acquit codes` at the command line: the contract of its JSON, and its exit codes."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import codes
from domain.errors import InvalidInput
from tests.support.railsfile import rails_file

KEYS = {
    "rail", "product", "code", "text", "class", "machine_retry", "retry_limit", "action",
    "borrower_text", "source",
}  # fmt: skip


@pytest.fixture
def app() -> typer.Typer:
    """A program with this command and another, so that it keeps its name."""
    built = typer.Typer()
    codes.register(built)
    built.command("other")(lambda: None)
    return built


def test_a_code_is_reported_with_class_limit_action_and_both_languages(app: typer.Typer) -> None:
    """Every key of the contract is there; R01 may be presented twice more."""
    result = CliRunner().invoke(app, ["codes", "ach", "R01", "--json"])
    reported = json.loads(result.stdout)
    assert result.exit_code == 0
    assert set(reported) >= KEYS
    assert (reported["class"], reported["machine_retry"], reported["retry_limit"]) == (
        "NSF",
        True,
        2,
    )
    assert reported["rules"] == ["nacha.reinitiation"]
    assert set(reported["borrower_text"]) == {"zh-CN", "en"}


def test_an_unknown_code_is_an_answer_and_not_a_mistake(app: typer.Typer) -> None:
    """Class UNKNOWN_CODE, exit 0, the code echoed as it was asked."""
    result = CliRunner().invoke(app, ["codes", "unionpay", "51", "--json"])
    reported = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (reported["code"], reported["class"], reported["machine_retry"]) == (
        "51",
        "UNKNOWN_CODE",
        False,
    )


def test_a_product_selects_the_list_and_small_letters_are_understood(app: typer.Typer) -> None:
    """The POS list knows 51; r01 is R01."""
    pos = CliRunner().invoke(app, ["codes", "unionpay", "51", "--product", "pos", "--json"])
    assert json.loads(pos.stdout)["class"] == "NSF"
    small = CliRunner().invoke(app, ["codes", "ach", "r01", "--json"])
    assert json.loads(small.stdout)["code"] == "R01"


def test_without_a_code_the_whole_list_is_reported(app: typer.Typer) -> None:
    """As a table for people and as JSON for programs."""
    listed = CliRunner().invoke(app, ["codes", "bacs", "--product", "ddica", "--json"])
    assert [row["code"] for row in json.loads(listed.stdout)] == list("12345678")
    assert "DISPUTE" in CliRunner().invoke(app, ["codes", "bacs", "--product", "ddica"]).stdout
    shown = CliRunner().invoke(app, ["codes", "sepa", "AM04"]).stdout
    assert "sepa.retry" in shown
    assert "NSF" in shown


def test_a_rail_that_does_not_exist_is_a_mistake_that_names_those_that_do(
    app: typer.Typer,
) -> None:
    """The program's one door turns this into exit code 2."""
    result = CliRunner().invoke(app, ["codes", "nacha", "R01"])
    assert isinstance(result.exception, InvalidInput)
    assert "unionpay" in str(result.exception)


def test_a_rail_of_the_installation_has_the_codes_of_its_kind(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An alarm names the rail as it is configured; the list is that of what it speaks."""
    monkeypatch.setenv("ACQUIT_RAILS", str(rails_file(tmp_path, "http://x", ["second"])))
    one, other = (
        CliRunner().invoke(app, ["codes", name, "64", "--json"]) for name in ("second", "simbank")
    )
    assert json.loads(one.stdout) == json.loads(other.stdout)
    assert isinstance(CliRunner().invoke(app, ["codes", "third", "64"]).exception, InvalidInput)
