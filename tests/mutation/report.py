"""`python -m tests.mutation.report`: what `make mutation` has found so far, a line per module.

Reads what mutmut keeps below `mutants/`, from this run and from earlier ones. A time-out counts as
killed: the mutant does not come to an end, and a test would have said so by hanging.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mutmut.stats import status_by_exit_code

COLUMNS = ("killed", "timeout", "survived", "no tests", "not checked")


def modules(root: Path) -> Iterator[tuple[str, Counter[str]]]:
    """Modules that have mutants, with the number of mutants by result."""
    for path in sorted(root.rglob("*.py.meta")):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            name = path.relative_to(root).as_posix().removesuffix(".meta")
            yield name, Counter(status_by_exit_code[code] for code in codes.values())


def line(name: str, found: Counter[str]) -> str:
    """One row: mutants, each result, and the share of those tried that were killed."""
    total = found.total()
    other = total - sum(found[column] for column in COLUMNS)
    tried = total - found["not checked"]
    share = f"{100 * (found['killed'] + found['timeout']) / tried:.1f} %" if tried else ""
    cells = [name, total, *(found[column] for column in COLUMNS), other, share]
    return "| " + " | ".join(map(str, cells)) + " |"


def table(root: Path) -> Iterator[str]:
    """The table as lines of Markdown, the whole domain last."""
    yield "| module | mutants | " + " | ".join(COLUMNS) + " | other | killed of those tried |"
    yield "|---" + "|---:" * (len(COLUMNS) + 3) + "|"
    every: Counter[str] = Counter()
    for name, found in modules(root):
        yield line(f"`{name}`", found)
        every += found
    yield line("**all**", every)


if __name__ == "__main__":
    sys.stdout.writelines(row + "\n" for row in table(Path("mutants")))
