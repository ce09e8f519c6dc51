"""The rooms are ours alone, and what is installed is what is pinned."""

from __future__ import annotations

import importlib
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from tests.support.tree import FOLDERS, ROOMS, ROOT, imported_modules, python_files

REQUIREMENTS = ("run.txt", "simulator.txt", "dev.txt", "uv.txt")


@pytest.mark.parametrize("room", [room for room in ROOMS if (ROOT / room).is_dir()])
def test_room_is_imported_from_this_tree(room: str) -> None:
    """Importing a room gives the folder beside this test, not a package of the same name."""
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == ROOT / room


def test_no_installed_distribution_owns_one_of_our_names() -> None:
    """Generic names are safe only while nothing we install brings a package of that name."""
    owners = metadata.packages_distributions()
    foreign = {
        name: sorted(set(owners[name]) - {"acquit"})
        for name in FOLDERS
        if set(owners.get(name, ())) - {"acquit"}
    }
    assert foreign == {}


def test_wheel_would_carry_no_top_level_package() -> None:
    """An application installed editable from its root: a wheel never spreads generic names."""
    build = _project()["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"] == {"bypass-selection": True}
    assert build["dev-mode-dirs"] == ["."]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_requirements_are_pinned_by_hash_and_carry_no_address(name: str) -> None:
    """Every package has one version and its hashes, and no line names a server."""
    text = (ROOT / "requirements" / name).read_text()
    assert "://" not in text
    assert "--index" not in text
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    unpinned = [entry.split("\n", 1)[0] for entry in entries if not _is_pinned(entry)]
    assert unpinned == []


def test_requirements_cover_what_the_project_declares() -> None:
    """A dependency added to pyproject.toml without `make requirements` is noticed here."""
    project = _project()
    declared = {_name(line) for line in project["project"]["dependencies"]}
    assert declared <= _pinned("run.txt")
    groups = project["dependency-groups"].values()
    assert declared | {_name(line) for group in groups for line in group} <= _pinned("dev.txt")


def test_production_installs_nothing_that_only_the_simulator_needs() -> None:
    """What its group declares is pinned in a file of its own, and imported by no other room."""
    only = {_name(line) for line in _project()["dependency-groups"]["simulator"]}
    assert only
    assert only <= _pinned("simulator.txt")
    assert not _pinned("simulator.txt") & _pinned("run.txt")
    rooms = [room for room in ROOMS if room != "simulator"]
    imported = {
        name.partition(".")[0] for path in python_files(*rooms) for name in imported_modules(path)
    }
    assert not only & imported


def test_lock_file_with_addresses_is_not_committed() -> None:
    """uv.lock names registry addresses, so the exports are committed in its place."""
    assert "uv.lock" in (ROOT / ".gitignore").read_text().split()


def _project() -> dict[str, dict]:  # type: ignore[type-arg]  # as deep as TOML goes
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def _is_pinned(entry: str) -> bool:
    return re.match(r"[\w.\[\],-]+==\S+", entry) is not None and "--hash=sha256:" in entry


def _pinned(name: str) -> set[str]:
    text = (ROOT / "requirements" / name).read_text()
    return {_name(line) for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line)}


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found.group()).lower()
