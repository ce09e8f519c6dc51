"""Kinds of cases: the documentation names those that nothing opens yet, and no other."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from domain.case.kinds import CaseKind
from domain.statement.broken import StatementBreak

ROOT = Path(__file__).resolve().parents[2]
OPENING = {"Case", "open_case", "open_cases"}
"""What is called to open a case, with its kind among the arguments."""


def opened() -> set[CaseKind]:
    """Kinds with which some code of the domain opens a case, besides those of broken files."""
    trees = [ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "domain").rglob("*.py"))]
    constants = named_in(node for tree in trees for node in tree.body)
    found = {CaseKind(one.value) for one in StatementBreak}
    for function in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(function, ast.FunctionDef):
            local = named_in(ast.walk(function))
            for part in arguments(function):
                found |= kinds_of(part)
                if isinstance(part, ast.Name):
                    found |= local[part.id] or constants[part.id]
    return found


def arguments(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield every part of the calls that open a case."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and called(node) in OPENING:
            yield from ast.walk(node)


def called(call: ast.Call) -> str:
    """The last name of what is called; empty where it has none."""
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def named_in(nodes: Iterator[ast.AST]) -> defaultdict[str, set[CaseKind]]:
    """The kinds that assignments give a name to, such as `kind = A if late else B`."""
    found: defaultdict[str, set[CaseKind]] = defaultdict(set)
    for node in nodes:
        if isinstance(node, ast.Assign):
            kinds = {kind for part in ast.walk(node.value) for kind in kinds_of(part)}
            for name in (part for target in node.targets for part in ast.walk(target)):
                if isinstance(name, ast.Name):
                    found[name.id] |= kinds
    return found


def kinds_of(part: ast.AST) -> set[CaseKind]:
    """The kind that `CaseKind.NAME` names; none for anything else."""
    match part:
        case ast.Attribute(value=ast.Name("CaseKind"), attr=name):
            return {CaseKind[name]}
    return set()


def test_kinds_that_nothing_opens_are_said_to_be_still_to_come() -> None:
    """Whoever opens one takes it off the page; a kind that nobody will open is removed."""
    page = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")
    rows = page.partition("| kind | opened by")[2].partition("\n\n")[0]
    listed = {name for row in rows.splitlines()[2:] for name in re.findall(r"`(\w+)`", row)}
    assert listed == set(CaseKind) - opened()
    assert listed, "remove this test and the table when every kind is opened"


def test_a_key_that_casekeys_builds_is_built_nowhere_else() -> None:
    """Whoever ends a case finds it under the key with which another function opened it."""
    prefixes = set(starts_of_keys(ROOT / "domain" / "loan" / "casekeys.py"))
    assert {"unsettled", "operator", "contradiction", "line"} <= prefixes
    elsewhere = {
        f"{path.name}: {prefix}"
        for path in (ROOT / "domain" / "loan" / "decide").glob("*.py")
        for prefix in starts_of_keys(path)
        if prefix in prefixes
    }
    assert elsewhere == set()


def starts_of_keys(path: Path) -> Iterator[str]:
    """Yield the first word of every f-string that begins like `word/`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
                if found := re.match(r"(\w+)/", text):
                    yield found[1]
