"""Text from outside, as the command line shows it."""

import pytest

from cli.output import print_table, print_text
from workers.reporting import note


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[2Jx", "\\x1b[2Jx"),
        ("pay\u202eno", "pay\\u202eno"),
        ("\x9b31m", "\\x9b31m"),
        ("\u00a0\u3000ok", "  ok"),
        ("逾期 \u00e9", "逾期 \u00e9"),
    ],
)
def test_what_comes_from_outside_cannot_forge_a_line(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Line breaks, escape sequences and marks of direction are shown, never obeyed."""
    print_text(text)
    print_table("t", ("what",), [(text,)])
    note(text.replace("\n", ""))
    printed = capsys.readouterr()
    assert printed.out.startswith(shown + "\n")
    assert shown in printed.out.partition("\n")[2]
    assert "\x1b[2J" not in printed.out + printed.err
    assert "\u202e" not in printed.out + printed.err


def test_a_key_stands_in_one_piece_beside_long_texts(capsys: pytest.CaptureFixture[str]) -> None:
    """It is copied into the next command, so the other columns give way to it."""
    key = "line/ACCT-FUNDER-1-CNY/2027-02-01/" + "C" * 60
    print_table("t", ("key", "about", "what"), [(key, key, "a long text " * 30)])
    assert f" {key} " in capsys.readouterr().out
