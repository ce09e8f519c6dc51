"""`--help` of every command tells what it does, how it is typed, and what its exit codes mean."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import pytest
import typer

from cli.tree import build
from tests.support.tree import ROOT, parsed, python_files

if TYPE_CHECKING:
    from collections.abc import Iterator

_Function = tuple[str, str]
"""A function of `cli`: its module and its name."""


def commands_of(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command of the tree that does something, by the words it is typed with."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
        return
    for name, found in command.commands.items():
        yield from commands_of(found, (*path, name))


COMMANDS = dict(commands_of(typer.main.get_command(build())))


def may_end_with_1() -> set[_Function]:
    """Functions of `cli` that leave with exit code 1, or call one of `cli` that does."""
    calls: dict[_Function, set[_Function]] = {}
    found: set[_Function] = set()
    for path in python_files("cli"):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = parsed(path)
        names: dict[str, _Function] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                names[node.name] = (module, node.name)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cli."):
                names |= {one.name: (str(node.module), one.name) for one in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
                calls[module, node.name] = {names[name] for name in used & names.keys()}
                if "Exit.NOT_CLEAN" in ast.unparse(node):
                    found.add((module, node.name))
    before: set[_Function] = set()
    while before != found:
        before = set(found)
        found |= {one for one, used in calls.items() if used & before}
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_a_command_does_and_how_it_is_typed(name: str) -> None:
    """The first line is a sentence; the last one can be typed, and is about this command."""
    command = COMMANDS[name]
    first = re.split(r"\n *\n", (command.help or "").strip())[0].replace("\n", " ")
    assert re.match(r"[A-Z][^\n]{8,}[.!]$", first), first
    assert (command.epilog or "").startswith(f"Example: acquit {name}"), command.epilog


def test_help_says_what_exit_code_1_means_where_a_command_has_it() -> None:
    """Scripts ask for codes; what 0, 2, 69 and 70 mean is the same everywhere."""
    ending = may_end_with_1()
    having = {
        name
        for name, command in COMMANDS.items()
        if (command.callback.__module__, command.callback.__name__) in ending
    }
    assert {"audit", "ledger verify", "order", "outbox drop", "case", "board"} <= having
    assert {"story", "accounts"}.isdisjoint(having)
    silent = {name for name in having if "xit code" not in (COMMANDS[name].help or "")}
    assert silent == set()
