"""Checks of the sources of statements: folders that can be used, servers that answer."""

from __future__ import annotations

import asyncio
import os
import shutil
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from adapters.sources.folder import Folder
from domain.calendar import local_day
from ports.archive import FILE_BYTES_MOST
from ports.statementsource import SourceUnavailable
from workers.doctor.findings import Finding, fail, ok, warn
from workers.sources import open_source
from workers.sourcesfile import sources_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from domain.ledger.bankaccount import BankAccount
    from ports.clock import Clock
    from workers.doctor.findings import Examiner
    from workers.settings import Settings
    from workers.sourcesfile import SourceEntry

_MIB = 1 << 20
_SETTINGS = "correct the file that ACQUIT_SOURCES names (docs/operations.md, section 3)"
_REACH = "check address, host key and log-in with the bank, and the rights of the folder"
_RIGHTS = "make the folder, or give the user that workers run as the right to read and write it"


async def check_sources(
    settings: Settings, accounts: Mapping[str, BankAccount], clock: Clock, examiner: Examiner
) -> list[Finding]:
    """Each source that is configured, one after the other by name; nothing where none is."""
    entries: list[SourceEntry] = []

    async def read() -> Sequence[Finding]:
        entries.extend(sources_of(settings.sources, accounts).values())
        return []

    found = await examiner.run("sources", _SETTINGS, read)
    for entry in sorted(entries, key=lambda one: one.name):
        if entry.at is not None:
            ask = partial(_examine, entry, clock)
            found += await examiner.run(f"source {entry.name}", _REACH, ask)
    return found


async def _examine(entry: SourceEntry, clock: Clock) -> Sequence[Finding]:
    """Look at what is on offer, and at whether files can be moved; nothing is moved."""
    check = f"source {entry.name}"
    if isinstance(entry.at, Folder):
        unfit = await asyncio.to_thread(_unfit, entry.at)
        if unfit:
            named = ", ".join(str(path) for path in unfit)
            return [fail(check, f"no folder that can be used: {named}", _RIGHTS)]
    async with AsyncExitStack() as closing:
        source = await open_source(entry, closing)
        today = local_day(clock.now(), "UTC")
        try:
            offered = await source.offered(today, today)
        except SourceUnavailable as error:
            return [fail(check, error.why, _REACH)]
    found = [ok(check, f"{len(offered)} files on offer for {entry.account}")]
    return [*found, *(await _room(check, entry))]


async def _room(check: str, entry: SourceEntry) -> Sequence[Finding]:
    """Whether the disk of a folder takes one more file."""
    if not isinstance(entry.at, Folder):
        return []
    usage = await asyncio.to_thread(shutil.disk_usage, entry.at.path)
    if usage.free >= FILE_BYTES_MOST:
        return []
    text = f"{usage.free // _MIB} MiB free on the disk of {entry.at.path}"
    return [warn(check, text, "make room: a file that is cut off is never taken")]


def _unfit(folder: Folder) -> list[Path]:
    """The folders that workers cannot use as they have to; those to be made are left out."""
    needed = os.R_OK | os.X_OK | (os.W_OK if folder.done is not None else 0)
    asked = [(folder.path, needed)]
    if folder.done is not None and folder.done.exists():
        asked.append((folder.done, os.W_OK | os.X_OK))
    return [path for path, rights in asked if not (path.is_dir() and os.access(path, rights))]
