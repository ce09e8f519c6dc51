"""Create or refresh `.venv` from the hash-pinned requirements; `make env` runs this.

Standard library only and readable by an older Python, so that the first thing a stranger sees is a
clear line. The stamp in `.venv` is a hash of everything the environment is made from: nothing
happens when it still holds. Packages are installed with uv (9 seconds against 40 with pip for the
same set), itself pinned by hash; pip does it where uv cannot reach the package index.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMP = VENV / "acquit.stamp"
OLDEST = (3, 11)
INSTALLER = ROOT / "requirements" / "uv.txt"
PACKAGES = ROOT / "requirements" / "dev.txt"
TEST_TOOLS = {
    "hledger": ("hledger", "the test that adds up the exported ledger will say so"),
    "sshd": ("openssh-server", "the tests of statements over SFTP will say so"),
}
"""Programs that tests compare with: the Debian package of each, and what lacks without it."""
CERTIFICATE_FONT = (Path("/usr/share/fonts/truetype/wqy"), "fonts-wqy-microhei")
"""The folder of the font of certificates in Chinese, and its Debian package."""
_PATH = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin"


def say(line: str) -> None:
    """Tell the user one thing."""
    sys.stderr.write("acquit: " + line + "\n")
    sys.stderr.flush()


def run(*argv: str | Path) -> bool:
    """Run one program from the project's root; True when it succeeded."""
    env = {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1"}
    env.pop("VIRTUAL_ENV", None)
    try:
        done = subprocess.run([str(part) for part in argv], cwd=ROOT, env=env, check=False)  # noqa: S603
    except OSError:  # the program is not there, or not for this machine
        return False
    return done.returncode == 0


def fingerprint() -> str:
    """Hash what the environment is made from, the interpreter and its place included."""
    digest = hashlib.sha256()
    digest.update((sys.version + str(ROOT)).encode())
    for path in (INSTALLER, PACKAGES, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_venv() -> bool:
    """Create an empty virtual environment, installing Debian's python3-venv if that is missing."""
    shutil.rmtree(VENV, ignore_errors=True)
    if run(sys.executable, "-m", "venv", VENV):
        return True
    shutil.rmtree(VENV, ignore_errors=True)
    if not debian_packages("python3-venv"):
        say("python3 cannot create virtual environments: install the system package python3-venv")
        return False
    return run(sys.executable, "-m", "venv", VENV)


def debian_packages(*names: str) -> bool:
    """Install system packages where that is ours to do: as root on a machine with apt-get."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        return False
    if "openssh-server" in names and Path("/run/systemd/system").exists():
        return False  # there it would begin to serve; in a container nothing starts it
    say("installing system packages: " + " ".join(names))
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    return run(apt, "-q", "update") and run(
        apt, "-q", "install", "-y", "--no-install-recommends", *names
    )


def install() -> bool:
    """Bring the environment to exactly the pinned set, then add the project itself, editable."""
    project = ("--no-deps", "--no-build-isolation", "--quiet", "-e", ROOT)
    uv = BIN / "uv"
    pip = BIN / "pip"
    if uv.exists() or run(pip, "install", "--quiet", "--require-hashes", "-r", INSTALLER):
        sync = (uv, "pip", "sync", "--quiet", "--python", BIN / "python", "--require-hashes")
        if run(*sync, INSTALLER, PACKAGES):
            return run(uv, "pip", "install", "--python", BIN / "python", *project)
        say("uv could not install the packages; trying pip")
    if not pip.exists():  # an earlier sync removed it
        run(BIN / "python", "-m", "ensurepip")
    return run(pip, "install", "--quiet", "--require-hashes", "-r", PACKAGES) and run(
        pip, "install", *project
    )


def main(arguments: list[str]) -> int:
    """Make the environment; `--test-tools` adds the programs that tests compare with."""
    if sys.version_info < OLDEST:
        say("Python 3.11 or later is needed, this is " + sys.version.split()[0])
        return 1
    wanted = fingerprint()
    if not STAMP.is_file() or STAMP.read_text() != wanted:
        say("bringing .venv to requirements/dev.txt")
        STAMP.unlink(missing_ok=True)
        if not (BIN / "python").exists() and not make_venv():
            return 1
        if not install() and not (make_venv() and install()):
            say("the environment could not be installed; the lines above say why")
            return 1
        STAMP.write_text(wanted)
    if "--test-tools" in arguments:
        for program, (package, without) in TEST_TOOLS.items():
            if shutil.which(program, path=_PATH) is None and not debian_packages(package):
                say(package + " is not installed: " + without)
        folder, package = CERTIFICATE_FONT
        if not folder.is_dir() and not debian_packages(package):
            say(package + " is not installed: the test of certificates in Chinese will say so")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
