"""Writes docs/lifecycle.md from the table of moves: `python -m domain.loan.lifecycle_doc`."""

import ast
import inspect
import sys
from collections import defaultdict
from itertools import pairwise

from domain.loan.lifecycle import FINAL, TRANSITIONS, State

HEAD = """# Lifecycle of an installment

Made from `domain/loan/lifecycle.py` by `python -m domain.loan.lifecycle_doc`; a test compares the
two, so change the table and make this page again. A pair that is not here is refused. Why the table
differs from the first draft: [decision 0020](decisions/0020-corrections-to-the-table-of-moves.md).

"""


def meanings() -> dict[str, str]:
    """What each state means: the text that stands under its member."""
    tree = ast.parse(inspect.getsource(State)).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for node, text in pairwise(body):
        if isinstance(node, ast.Assign) and isinstance(text, ast.Expr):
            found[ast.unparse(node.targets[0])] = " ".join(ast.literal_eval(text.value).split())
    return found


def page() -> str:
    """The whole page as Markdown: states, moves, a picture."""
    said = meanings()
    lines = ["## States", "", "| state | meaning |", "|---|---|"]
    for state in State:
        final = " *Final: the driver ends.*" if state in FINAL else ""
        lines.append(f"| {state} | {said[state.name]}{final} |")
    lines += ["", "## Moves", "", "| from | event | to |", "|---|---|---|"]
    for (event, target), sources in _rows().items():
        lines.append(f"| {', '.join(sources)} | `{event}` | {target} |")
    lines += ["", "## Picture", "", "Moves that change the state.", "", "```mermaid"]
    lines.append("stateDiagram-v2")
    for (source, target), events in _arrows().items():
        lines.append(f"    {source} --> {target}: {', '.join(events)}")
    lines += [f"    {state} --> [*]" for state in State if state in FINAL]
    return HEAD + "\n".join([*lines, "```", ""])


def _rows() -> dict[tuple[str, str], list[str]]:
    rows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (source, event), target in TRANSITIONS.items():
        shown = "unchanged" if source is target else target.value
        rows[(event.value, shown)].append(source.value)
    return rows


def _arrows() -> dict[tuple[str, str], list[str]]:
    arrows: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for (source, event), target in TRANSITIONS.items():
        if source is not target:
            arrows[(source.value, target.value)].append(event.value)
    return arrows


if __name__ == "__main__":
    sys.stdout.write(page())
