"""The files of this repository, as the house tests look at them."""

from __future__ import annotations

import ast
import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

ROOMS = (
    "domain",
    "ports",
    "activities",
    "workflows",
    "adapters",
    "api",
    "web",
    "cli",
    "sandbox",
    "workers",
    "simulator",
)
"""Our packages; those that do not exist yet are left out by whoever asks for files."""

FOLDERS = (*ROOMS, "tests", "docs", "deploy", "examples", "benchmarks")
"""Every top-level name that an installed distribution must not own."""


@functools.cache
def committed() -> tuple[Path, ...]:
    """Return every file that is or would be committed: tracked or new, and not ignored.

    A tree without git (an image, an archive) is walked instead, hidden folders left out.
    """
    argv = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    try:
        listed = subprocess.run(argv, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        found = (path for path in ROOT.rglob("*") if path.is_file())
        return tuple(
            p for p in found if not any(part[0] == "." for part in p.relative_to(ROOT).parts)
        )
    names = (name for name in listed.decode().split("\0") if name)
    return tuple(sorted(ROOT / name for name in names if (ROOT / name).is_file()))


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below these top-level folders."""
    return [
        path
        for path in committed()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


@functools.cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of one file."""
    return ast.parse(path.read_text(), filename=str(path))


def imported_modules(path: Path) -> set[str]:
    """Return the dotted names a file imports, those inside functions included."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def shown(path: Path) -> str:
    """Return the path as a reader of a failure wants it."""
    return str(path.relative_to(ROOT))
