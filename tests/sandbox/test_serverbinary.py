"""Which Temporal program is used: the order of places, and one clear line when there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import serverbinary
from sandbox.serverbinary import ServerNotFoundError, cache_path, find_server, installed_server

if TYPE_CHECKING:
    from pathlib import Path


def program(path: Path, server: str = "1.32.0") -> Path:
    """Write a program that answers `--version` as the Temporal CLI does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho 'temporal version 1.9.1 (Server {server}, UI 2.54.1)'\n")
    path.chmod(0o755)
    return path


def surroundings(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing is installed."""
    return {"PATH": str(folder / "bin"), "XDG_CACHE_HOME": str(folder / "cache"), **more}


async def test_named_program_wins_over_path_and_cache(tmp_path: Path) -> None:
    """TEMPORAL_CLI_PATH is asked first, then PATH, then our cache."""
    named = program(tmp_path / "named" / "temporal")
    environ = surroundings(tmp_path)
    cached = program(cache_path(environ))
    assert await installed_server(environ) == cached
    on_path = program(tmp_path / "bin" / "temporal")
    assert await installed_server(environ) == on_path
    assert await installed_server(environ | {"TEMPORAL_CLI_PATH": str(named)}) == named


async def test_wrong_setting_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    """Whoever names a program gets that one, or a line that says why not."""
    environ = surroundings(tmp_path)
    program(cache_path(environ))
    with pytest.raises(ServerNotFoundError, match="nowhere: no Temporal CLI"):
        await installed_server(environ | {"TEMPORAL_CLI_PATH": str(tmp_path / "nowhere")})
    old = program(tmp_path / "old", server="1.31.2")
    with pytest.raises(ServerNotFoundError, match=r"server 1\.31\.2; server 1\.32 or later"):
        await installed_server(environ | {"TEMPORAL_CLI_PATH": str(old)})


async def test_too_old_program_on_path_is_passed_over(tmp_path: Path) -> None:
    """A forgotten installation that cannot skip time does not hide the cached one."""
    environ = surroundings(tmp_path)
    program(tmp_path / "bin" / "temporal", server="1.29.0")
    cached = program(cache_path(environ))
    assert await installed_server(environ) == cached


async def test_nothing_to_be_had_names_the_four_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a program, a network and Go there is one message that says what to do."""

    async def closed_network(target: Path) -> bool:
        return target.exists()

    monkeypatch.setattr(serverbinary, "_download", closed_network)
    said: list[str] = []
    with pytest.raises(ServerNotFoundError, match=r"(?s)\(1\).*\(2\).*\(3\).*\(4\)"):
        await find_server(surroundings(tmp_path), said.append)
    assert said == []


async def test_failed_build_says_so_and_leaves_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Go that cannot build is reported with its last lines; nothing half-made stays behind."""

    async def closed_network(target: Path) -> bool:
        return target.exists()

    monkeypatch.setattr(serverbinary, "_download", closed_network)
    environ = surroundings(tmp_path)
    go = tmp_path / "bin" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\necho 'module not reachable' >&2\nexit 1\n")
    go.chmod(0o755)
    said: list[str] = []
    with pytest.raises(ServerNotFoundError):
        await find_server(environ, said.append)
    assert "module not reachable" in said[-1]
    left = [path.name for path in cache_path(environ).parent.iterdir() if "temporal" in path.name]
    assert left == [f"{cache_path(environ).name}.lock"]
