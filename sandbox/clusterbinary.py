"""Find the programs of a Temporal cluster, the same release as the images; build them when absent.

`temporal-server` and `temporal-sql-tool`, both from `deploy/temporal-server/go.mod`, kept in the
same cache as the dev server. Two minutes on two cores; nothing is downloaded but Go modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.serverbinary import (
    MODULE,
    ServerNotFoundError,
    build_with_go,
    cache_path,
    one_at_a_time,
)
from workers.processes import output_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CLUSTER_VERSION = "1.32.0"
"""The release of the images in docker-compose.yml, and of `deploy/temporal-server/go.mod`."""
CLUSTER_MODULE = MODULE.with_name("temporal-server")
PACKAGES = {
    "temporal-server": "go.temporal.io/server/cmd/server",
    "temporal-sql-tool": "go.temporal.io/server/cmd/tools/sql",
}


@dataclass(frozen=True, slots=True)
class ClusterPrograms:
    """Paths of the server and of the tool that sets up its databases."""

    server: Path
    sql_tool: Path


async def find_cluster(
    environ: Mapping[str, str], say: Callable[[str], None] = lambda _line: None
) -> ClusterPrograms:
    """Return both programs, built once when they are not in the cache.

    Raises:
        ServerNotFoundError: they are absent and Go is missing, or could not build them.
    """
    found = {name: await _program(name, environ, say) for name in PACKAGES}
    return ClusterPrograms(found["temporal-server"], found["temporal-sql-tool"])


async def installed_cluster(environ: Mapping[str, str]) -> bool:
    """Whether both programs are in the cache."""
    return all([await _usable(_target(name, environ)) for name in PACKAGES])


async def _program(name: str, environ: Mapping[str, str], say: Callable[[str], None]) -> Path:
    target = _target(name, environ)
    target.parent.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(target.with_name(f"{target.name}.lock"), say):
        if await _usable(target):
            return target
        say(f"building {name} {CLUSTER_VERSION} once, about two minutes on two cores")
        if await build_with_go(target, CLUSTER_MODULE, PACKAGES[name], environ, say):
            return target
    raise ServerNotFoundError(
        f"no {target.name}: install Go 1.26 or later, and it is built from deploy/temporal-server"
    )


def _target(name: str, environ: Mapping[str, str]) -> Path:
    return cache_path(environ).with_name(f"{name}-{CLUSTER_VERSION}")


async def _usable(program: Path) -> bool:
    answer = await output_of(program, "--version")
    found = re.search(r"version (\d+\.\d+\.\d+)", answer or "")
    return found is not None and found[1] == CLUSTER_VERSION
