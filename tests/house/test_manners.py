"""Manners that no linter knows: sizes, docstrings on tests, no open ends, no machine paths."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.support.tree import ROOMS, committed, imported_modules, parsed, python_files, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_FUNCTION = 70
LONGEST_FILE = 400
PROGRAMS = (*ROOMS, "deploy", "examples")
TEXT = frozenset({".py", ".md", ".toml", ".txt", ".yml", ".yaml", ".sql", ".sh", ".mod", ".html"})

# Put together here so that this file does not find itself.
OPEN_ENDS = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "pragma: no " + "cover")))
# A folder of somebody's machine: anywhere a path can begin, but not inside an address or a name.
MACHINE_PATH = re.compile(r"(?<![\w.:/~$}-])/(?:work|root|home/\w+|Users/\w+)/\w")
# Words that the field does not use for what we mean; docs/glossary.md has its own.
NOT_OUR_WORDS = re.compile(
    r"\b(given\s+" + r"up|in\s+va" + r"in|unto" + r"ld|couri" + r"er|onloo" + r"ker|kla" + r"ss"
    r"|verdi" + r"ct|enqui" + r"r\w+|roll\s+ca" + r"ll|hold_dir" + r"ect)\b",
    re.IGNORECASE,
)
CLOCKS = frozenset({"now", "utcnow", "today", "time", "monotonic", "uuid1", "uuid4"})


def test_functions_fit_on_a_screen() -> None:
    """No function outside the tests has a body of more than 70 lines, its docstring included.

    The signature is left out: the options of a command are declarations, one or two lines each.
    """
    too_long = [
        f"{shown(path)}:{node.lineno} {node.name}: {length} lines"
        for path in python_files(*PROGRAMS)
        if "migrations" not in path.parts  # a frozen list of statements, read from top to bottom
        for node in _functions(parsed(path))
        if (length := (node.end_lineno or 0) - node.body[0].lineno + 1) > LONGEST_FUNCTION
    ]
    assert too_long == []


def test_files_hold_one_noun() -> None:
    """At 400 lines a file is asked for its second noun."""
    too_long = []
    for path in python_files(*PROGRAMS):
        lines = len(path.read_text().splitlines())
        if lines > LONGEST_FILE:
            too_long.append(f"{shown(path)}: {lines} lines")
    assert too_long == []


def test_every_test_says_what_it_holds_true() -> None:
    """A test without a docstring leaves its reader guessing what broke."""
    silent = [
        f"{shown(path)}:{node.lineno} {node.name}"
        for path in python_files("tests")
        if path.name.startswith("test_")
        for node in _functions(parsed(path))
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_tests_have_names_of_their_own_and_no_packages() -> None:
    """Tests are imported by path: an `__init__.py` below tests/ would shadow the rooms."""
    assert [shown(p) for p in python_files("tests") if p.name == "__init__.py"] == []


def test_every_room_introduces_itself() -> None:
    """Each package of a room has an `__init__.py` whose docstring says what it holds."""
    folders = {path.parent for path in python_files(*ROOMS) if "migrations" not in path.parts}
    silent = [
        shown(folder)
        for folder in sorted(folders)
        if not (folder / "__init__.py").is_file()
        or not ast.get_docstring(parsed(folder / "__init__.py"))
    ]
    assert silent == []


@pytest.mark.parametrize("rule", [OPEN_ENDS, MACHINE_PATH], ids=["open end", "machine path"])
def test_committed_text_has_no_open_ends_and_no_machine_paths(rule: re.Pattern[str]) -> None:
    """What is committed is finished, and reads the same on every machine."""
    found = [
        f"{shown(path)}:{number} {line.strip()[:80]}"
        for path in committed()
        if path.suffix in TEXT or not path.suffix
        for number, line in enumerate(_text(path).splitlines(), 1)
        if rule.search(line)
    ]
    assert found == []


def test_committed_text_uses_the_words_of_the_field() -> None:
    """One word for one thing: no name of ours is left for what the field names otherwise."""
    found = [
        f"{shown(path)}: {match.group()}"
        for path in committed()
        if path.suffix in {".py", ".md"}
        for match in NOT_OUR_WORDS.finditer(_text(path))
    ]
    assert found == []


def test_inner_rooms_read_no_clock_and_roll_no_dice() -> None:
    """Modules passed through the workflow sandbox are not guarded by it: this test is."""
    found = []
    for path in python_files("domain", "workflows"):
        if "random" in imported_modules(path) or "secrets" in imported_modules(path):
            found.append(f"{shown(path)} imports chance")
        found += [
            f"{shown(path)}:{node.lineno} {ast.unparse(node.func)}"
            for node in ast.walk(parsed(path))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in CLOCKS
            # `workflow.now()` and `workflow.uuid4()` are replayed, hence allowed.
            and not (isinstance(node.func.value, ast.Name) and node.func.value.id == "workflow")
            and _names_a_clock(node.func.value)
        ]
    assert found == []


def test_activities_know_little_of_temporal() -> None:
    """Of Temporal, activities use `activity` and `exceptions`, so they run without a server."""
    allowed = ("temporalio.activity", "temporalio.exceptions")
    foreign = {
        f"{shown(path)}: {name}"
        for path in python_files("activities")
        for name in imported_modules(path)
        if name.startswith("temporalio.") and not name.startswith(allowed)
    }
    assert foreign == set()


def test_only_settings_read_the_environment() -> None:
    """Programs read the environment where they begin and pass it on; no other file knows it."""
    begins = {
        "workers/settings.py",
        "cli/tree.py",
        "sandbox/serverbinary.py",
        "sandbox/topology.py",
    }
    readers = {
        shown(path)
        for path in python_files(*ROOMS)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }
    assert readers - begins == set()


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _names_a_clock(value: ast.expr) -> bool:
    return ast.unparse(value).split(".")[-1] in {"datetime", "date", "time", "uuid", "dt"}


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
