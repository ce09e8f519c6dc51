"""What a page tells people to type is there to be typed, and is shown as a command."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
import typer

from cli.tree import build
from tests.house.test_alerts import commands_in
from tests.support.tree import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
FENCED = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
ANYTHING = re.compile(r"^(\.\.\.|ROLE|COMMAND)$")


def typed_in(text: str) -> list[list[str]]:
    """Each command of ours in a page, as words: indented, fenced or between backticks."""
    fenced = "\n".join(
        "    " + line.removeprefix("$ ")
        for block in FENCED.findall(text)
        for line in block.splitlines()
    )
    joined = f"{FENCED.sub('', text)}\n{fenced}".replace("\\\n", " ")
    found = [
        re.split(r" #| \\?\||;", " ".join(words))[0].split()
        for words in commands_in(joined, "acquit")
    ]
    return [words for words in found if len(words) > 1]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_and_options_in_pages_exist(page: Any) -> None:
    """Whoever follows a page finds every command and every option that it names."""
    tree: Any = typer.main.get_command(build())
    context = typer.Context(tree, info_name="acquit")
    for words in typed_in(page.read_text(encoding="utf-8")):
        command = tree
        for word in words[1:]:
            if not hasattr(command, "commands") or word.startswith("-") or ANYTHING.match(word):
                break
            name = word.rstrip(",`")
            assert command.get_command(context, name) is not None, words
            command = command.get_command(context, name)
        known = {option for item in command.params for option in (*item.opts, *item.secondary_opts)}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= {*known, "--help"}, words


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_verbs_of_make_in_pages_exist(page: Any) -> None:
    """The same for `make`."""
    known = set(
        re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    text = page.read_text(encoding="utf-8")
    typed = re.findall(r"`make ([\w-]+)", text) + re.findall(
        r"^ *make ([\w-]+)", text, re.MULTILINE
    )
    assert set(typed) <= known


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_in_pages_are_shown_as_commands(page: Any) -> None:
    """Indented code begins after an empty line; without one it is drawn as running text."""
    lines = FENCED.sub("", page.read_text(encoding="utf-8")).splitlines()
    for before, line in itertools.pairwise(lines):
        if line.startswith("    ") and not before.startswith("   "):
            assert not before or re.match(r" *([-*]|\d+\.) ", before), (before, line)
