"""Every example of docs/arithmetic.md prints what the page shows."""

import re
import shlex
from pathlib import Path

import pytest

from cli.tree import run

PAGE = Path(__file__).resolve().parents[2] / "docs" / "arithmetic.md"
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
EXAMPLES = [
    (example.partition("\n")[0], example.partition("\n")[2])
    for block in BLOCKS
    for example in block.split("$ acquit ")[1:]
]


def test_the_page_has_examples_for_the_commands_of_arithmetic() -> None:
    """A page that lost its examples would pass in silence."""
    shown = {command.split()[0] for command, _ in EXAMPLES}
    assert shown == {"schedule", "payoff", "penalty", "apr", "next-banking-day", "calendar", "loan"}


@pytest.mark.parametrize(("command", "output"), EXAMPLES, ids=[one[:40] for one, _ in EXAMPLES])
def test_an_example_prints_what_the_page_shows(
    command: str, output: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output is the page's, letter by letter; a command fails where it shows a refusal."""
    monkeypatch.chdir(PAGE.parents[1])
    assert run(shlex.split(command)) == ('"ok": false' in output)
    assert capsys.readouterr().out == output
