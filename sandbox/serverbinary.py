"""Find the Temporal dev server program: named, installed, cached, downloaded or built.

The order is fixed and every step is bounded; when all fail, one error names the ways that remain.
`python -m sandbox.serverbinary` prints the path, building the program first where that is needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from workers.processes import Child, output_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CLI_VERSION = "1.9.1"
"""The one release we build and test with; `deploy/temporal/go.mod` pins the same."""
OLDEST_SERVER = (1, 32)
"""Time skipping on the real server, which the sandbox needs, exists from here on."""
MODULE = Path(__file__).resolve().parents[1] / "deploy" / "temporal"
PACKAGE = "github.com/temporalio/cli/cmd/temporal"
_DOWNLOAD_LIMIT_S = 300.0
_BUILD_LIMIT_S = 1800.0
_PROGRESS_EVERY_S = 15.0


class ServerNotFoundError(RuntimeError):
    """No Temporal dev server can be had; the message names the ways to get one."""


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"acquit: {line}\n")
    sys.stderr.flush()


def cache_path(environ: Mapping[str, str]) -> Path:
    """Return where our own copy lives: `${XDG_CACHE_HOME:-~/.cache}/acquit/bin/temporal-1.9.1`."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home()) / ".cache"
    return Path(base) / "acquit" / "bin" / f"temporal-{CLI_VERSION}"


async def server_version(binary: Path) -> tuple[int, ...] | None:
    """Return the server version a CLI program carries, for example (1, 32, 0); None if unusable."""
    answer = await output_of(binary, "--version")
    found = re.search(r"Server (\d+)\.(\d+)\.(\d+)", answer or "")
    return tuple(int(part) for part in found.groups()) if found else None


async def installed_server(environ: Mapping[str, str]) -> Path | None:
    """Return a program that is already here; None if one must be downloaded or built.

    Raises ServerNotFoundError when TEMPORAL_CLI_PATH names something unusable: a wrong setting is
    reported, never silently replaced by another server.
    """
    named = environ.get("TEMPORAL_CLI_PATH")
    if named:
        version = await server_version(Path(named))
        if version is None or version < OLDEST_SERVER:
            found = "no Temporal CLI" if version is None else f"server {_dotted(version)}"
            needed = f"server {_dotted(OLDEST_SERVER)} or later is needed"
            raise ServerNotFoundError(f"TEMPORAL_CLI_PATH={named}: {found}; {needed}")
        return Path(named)
    on_path = shutil.which("temporal", path=environ.get("PATH"))
    for candidate in (on_path, cache_path(environ)):
        version = await server_version(Path(candidate)) if candidate else None
        if candidate and version is not None and version >= OLDEST_SERVER:
            return Path(candidate)
    return None


async def find_server(environ: Mapping[str, str], say: Callable[[str], None] = _to_stderr) -> Path:
    """Return a usable `temporal` program, fetching or building it when none is installed.

    Raises ServerNotFoundError naming the four ways when there is none to be had.
    """
    if (here := await installed_server(environ)) is not None:
        return here
    target = cache_path(environ)
    target.parent.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(target.with_name(f"{target.name}.lock"), say):
        if await server_version(target) is not None:
            return target
        if await _download(target) or await _build(target, environ, say):
            return target
    msg = (
        "no Temporal dev server found. Four ways to get one: "
        f"(1) set TEMPORAL_CLI_PATH to a Temporal CLI {CLI_VERSION} program; "
        "(2) put `temporal` on PATH; "
        "(3) let this machine reach the Temporal download site once, the SDK then fetches it; "
        "(4) install Go 1.26 or later, and it is built from deploy/temporal in about six minutes."
    )
    raise ServerNotFoundError(msg)


@contextlib.contextmanager
def one_at_a_time(lock: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Let one process fetch or build while others wait for its result."""
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"another process is preparing {lock.stem}; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


async def _download(target: Path) -> bool:
    """Let the SDK download the program; on a closed network this fails within a second."""
    from temporalio.testing import WorkflowEnvironment  # noqa: PLC0415  (slow, rarely needed)

    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        try:
            async with asyncio.timeout(_DOWNLOAD_LIMIT_S):
                environment = await WorkflowEnvironment.start_local(
                    dev_server_download_version=f"v{CLI_VERSION}", download_dest_dir=scratch
                )
                await environment.shutdown()
        except (RuntimeError, TimeoutError):
            return False
        for file in sorted(Path(scratch).iterdir()):  # noqa: ASYNC240  (one file)
            if await server_version(file) is not None:
                file.replace(target)
                return True
    return False


async def _build(target: Path, environ: Mapping[str, str], say: Callable[[str], None]) -> bool:
    """Build the program with Go from the module that pins it; False when Go is missing or fails."""
    if shutil.which("go", path=environ.get("PATH")) is None:
        return False
    say(f"building the Temporal dev server {CLI_VERSION} once, about six minutes on two cores")
    return await build_with_go(target, MODULE, PACKAGE, environ, say)


async def build_with_go(
    target: Path,
    module: Path,
    package: str,
    environ: Mapping[str, str],
    say: Callable[[str], None],
) -> bool:
    """Build one program from the Go module that pins it; False when Go is missing or fails.

    Args:
        target: where the program goes, whole or not at all.
        module: folder of `go.mod`.
        package: import path of the program.
        environ: of the build; its PATH must have `go`.
        say: receives the progress.
    """
    go = shutil.which("go", path=environ.get("PATH"))
    if go is None:
        return False
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    log = target.with_name("build.log")
    log.unlink(missing_ok=True)
    argv = (go, "build", "-v", "-trimpath", "-ldflags", "-s -w", "-o", fresh, package)
    child = await Child.start(argv, log=log, cwd=module, env={**environ, "CGO_ENABLED": "0"})
    waited = 0.0
    try:
        while await child.wait(_PROGRESS_EVERY_S) is None and waited < _BUILD_LIMIT_S:
            waited += _PROGRESS_EVERY_S
            steps = len(log.read_text(errors="replace").splitlines())
            say(f"still building: {waited:.0f} s, {steps} steps done")
    finally:
        await child.kill()
    if child.returncode != 0:
        say(f"the build failed (go build ended with {child.returncode}):\n{child.tail()}")
        fresh.unlink(missing_ok=True)
        return False
    fresh.replace(target)
    say(f"built {target}")
    return True


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def main() -> int:
    """Print the path of the program; exit code 1 with one clear line when none can be had."""
    try:
        path = asyncio.run(find_server(os.environ))
    except ServerNotFoundError as error:
        _to_stderr(str(error))
        return 1
    sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
