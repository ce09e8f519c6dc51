"""A table of moves as a page in Markdown: its states with what they mean, its moves, a picture."""

import ast
import inspect
from collections import defaultdict
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise
from typing import Any

Moves = Mapping[tuple[Any, Any], StrEnum]


def meanings(states: type[StrEnum]) -> dict[str, str]:
    """What each state means: the text that stands under its member."""
    tree = ast.parse(inspect.getsource(states)).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for node, text in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(text, ast.Expr):
            found[ast.unparse(node.targets[0])] = " ".join(ast.literal_eval(text.value).split())
    return found


def page(head: str, states: type[StrEnum], moves: Moves, final: frozenset[Any]) -> str:
    """The whole page below its head: states, moves, a picture."""
    said = meanings(states)
    lines = ["## States", "", "| state | meaning |", "|---|---|"]
    for state in states:
        ends = " *Final: the driver ends.*" if state in final else ""
        lines.append(f"| {state} | {said[state.name]}{ends} |")
    lines += ["", "## Moves", "", "| from | event | to |", "|---|---|---|"]
    for (event, target), sources in _rows(moves).items():
        lines.append(f"| {', '.join(sources)} | `{event}` | {target} |")
    lines += ["", "## Picture", "", "Moves that change the state.", "", "```mermaid"]
    lines.append("stateDiagram-v2")
    for (source, target), events in _arrows(moves).items():
        lines.append(f"    {source} --> {target}: {', '.join(events)}")
    lines += [f"    {state} --> [*]" for state in states if state in final]
    return head + "\n".join([*lines, "```", ""])


def _rows(moves: Moves) -> dict[tuple[str, str], list[str]]:
    rows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (source, event), target in moves.items():
        shown = "unchanged" if source is target else target.value
        rows[(event.value, shown)].append(source.value)
    return rows


def _arrows(moves: Moves) -> dict[tuple[str, str], list[str]]:
    arrows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (source, event), target in moves.items():
        if source is not target:
            arrows[(source.value, target.value)].append(event.value)
    return arrows
