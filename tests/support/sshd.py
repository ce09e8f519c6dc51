"""A real OpenSSH server in a folder of its own: its own keys, no system files, SFTP only."""

import asyncio
import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {home}/host
PidFile none
AuthorizedKeysFile {home}/authorized
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
PermitRootLogin prohibit-password
AllowUsers {user}
ForceCommand internal-sftp
Subsystem sftp internal-sftp
LogLevel ERROR
"""


def program() -> str:
    """The server's program, by its whole path as it wants to be called; skips where it is not."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if found is None:
        pytest.skip("sshd is not installed: apt-get install openssh-server")
    return found


def made_key(path: Path) -> str:
    """Make a key pair; the public key as settings name it."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)]
    subprocess.run(argv, check=True, timeout=30)
    return path.with_suffix(".pub").read_text().strip()


@dataclass
class Sshd:
    """A running server.

    Attributes:
        host_key: its public key. `key`: the private key of the only user, `files` what they see.
    """

    port: int
    user: str
    host_key: str
    key: str
    files: Path
    process: asyncio.subprocess.Process

    def sessions(self) -> list[int]:
        """Processes that serve a connection."""
        shown = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        return [int(word) for word in shown.stdout.split()]

    def cut(self) -> int:
        """Kill every connection, as a network that goes away does; how many."""
        killed = 0
        for pid in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                killed += 1
        return killed


@asynccontextmanager
async def running_sshd(home: Path) -> AsyncIterator[Sshd]:
    """Run a server that only its own user's key opens, until the end of the block."""
    sshd, user = program(), getpass.getuser()
    host_key, own = made_key(home / "host"), made_key(home / "own")
    (home / "authorized").write_text(own + "\n")
    files = home / "files"
    files.mkdir()
    if os.geteuid() == 0:  # its child without rights looks for this folder
        Path("/run/sshd").mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    config = home / "config"
    config.write_text(_CONFIG.format(port=port, home=home, user=user))
    process = await asyncio.create_subprocess_exec(
        sshd, "-D", "-e", "-f", str(config), stderr=asyncio.subprocess.DEVNULL
    )
    server = Sshd(port, user, host_key, (home / "own").read_text(), files, process)
    try:
        await _answers(server)
        yield server
    finally:
        server.cut()
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _answers(server: Sshd) -> None:
    async with asyncio.timeout(20):
        while server.process.returncode is None:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                writer.close()
                return
            await asyncio.sleep(0.05)
    raise RuntimeError("sshd has ended")
