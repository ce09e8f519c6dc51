"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
from importlib import metadata
from pathlib import Path

import psutil

from adapters.sql.engine import BUSY_TIMEOUT_MS

ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("temporalio", "SQLAlchemy", "asyncpg", "aiosqlite", "pydantic", "dbos")


def machine() -> dict[str, str]:
    """Processor, memory, system, versions, revision of this tree, and how busy it was before."""
    return {
        "processor": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "sqlite": f"{sqlite3.sqlite_version}, WAL, synchronous FULL, busy {BUSY_TIMEOUT_MS} ms",
        "packages": ", ".join(f"{name} {metadata.version(name)}" for name in _PACKAGES),
        "revision": _revision(),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def most_kib() -> int:
    """The most memory that this program had: what the kernel counts from its very start."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _revision() -> str:
    argv = ("git", "describe", "--always", "--dirty")
    try:
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()
