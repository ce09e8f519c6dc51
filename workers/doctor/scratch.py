"""Checks of this machine's disk: room for the statement file that is being read."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from typing import TYPE_CHECKING

from ports.archive import FILE_BYTES_MOST
from workers.doctor.findings import Finding, ok, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

_MIB = 1 << 20
ADVICE = "where `acquit worker books` runs, let TMPDIR name a folder on a disk with more room"


async def check_scratch(*, sandbox: bool) -> Sequence[Finding]:
    """Whether the largest file has room beside us; a sandbox's files are small."""
    folder = tempfile.gettempdir()
    usage = await asyncio.to_thread(shutil.disk_usage, folder)
    free = f"{usage.free // _MIB} MiB free in {folder}"
    if sandbox or usage.free >= FILE_BYTES_MOST:
        return [ok("scratch space", free)]
    most = f"a statement file may have {FILE_BYTES_MOST // _MIB} MiB"
    return [warn("scratch space", f"{free}, and {most}", ADVICE)]
