"""Statement files in a folder of this machine, into which a bank or a program of ours puts them."""

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, TypeVar

from adapters.sources.filenames import LISTED_MOST, id_of, is_offered, name_of, other_name
from ports.statementsource import SourceUnavailable, StatementFile

PART_BYTES = 256 * 1024
_NAMES_MOST = 100
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Folder:
    """Where the files of an account lie.

    Attributes:
        done: where files are moved once they are kept; None: they stay.
        aside: where files are moved that cannot be taken; None: they stay.
        settle_s: see the port; 0 where the sender moves whole files in by renaming them.
    """

    path: Path
    done: Path | None = None
    aside: Path | None = None
    settle_s: float = 60.0


class FolderStatements:
    """Implements `ports.statementsource.StatementSource` for one account.

    Only regular files are looked at: no folders, no links, no pipes. A file is read once its size
    and time have stood still for `settle_s`, and is compared with both again at its end.
    """

    def __init__(self, account: str, folder: Folder) -> None:
        self._account, self._folder = account, folder

    @property
    def settle_s(self) -> float:
        """See the port."""
        return self._folder.settle_s

    async def offered(self, first: date, last: date) -> tuple[StatementFile, ...]:  # noqa: ARG002
        """The files that lie in the folder, of whatever day; see the port."""
        found = await _asked(self._listed)
        return tuple(
            StatementFile(id_of(name), self._account, stamp=stamp) for name, stamp in found
        )

    def _listed(self) -> list[tuple[str, str]]:
        found = []
        with os.scandir(self._folder.path) as entries:
            for count, entry in enumerate(entries):
                if count >= LISTED_MOST:
                    raise SourceUnavailable(f"over {LISTED_MOST} entries in the folder")
                if is_offered(entry.name) and entry.is_file(follow_symlinks=False):
                    found.append((entry.name, _stamp(entry.stat(follow_symlinks=False))))
        return found

    @asynccontextmanager
    async def open(self, file: StatementFile) -> AsyncIterator[AsyncIterator[bytes]]:
        """One file in parts; see the port."""
        path = self._folder.path / name_of(file.id)
        source = await _asked(lambda: _opened(path))
        try:
            yield _parts(source, file)
        finally:
            source.close()

    async def taken(self, file: StatementFile) -> None:
        """Move the file to where done files lie; see the port."""
        await self._moved(file, self._folder.done)

    async def put_aside(self, file: StatementFile) -> None:
        """Move the file to where those lie that cannot be taken; see the port."""
        await self._moved(file, self._folder.aside)

    async def _moved(self, file: StatementFile, to: Path | None) -> None:
        name = name_of(file.id)
        if to is not None:
            await _asked(lambda: _move(self._folder.path / name, to))


async def _parts(source: BinaryIO, file: StatementFile) -> AsyncIterator[bytes]:
    """The parts of a file; a change is noticed with each, so that none grows without end."""

    def read() -> bytes:
        part = source.read(PART_BYTES)
        if file.stamp and _stamp(os.fstat(source.fileno())) != file.stamp:
            raise SourceUnavailable("changed since it was listed")
        return part

    while part := await _asked(read):
        yield part


async def _asked(ask: Callable[[], _T]) -> _T:
    """What a call of the file system gives, beside the event loop.

    Raises:
        SourceUnavailable: an error of the system, in its own words.
    """
    try:
        return await asyncio.to_thread(ask)
    except OSError as error:
        raise SourceUnavailable(os.strerror(error.errno or 0)) from None


def _opened(path: Path) -> BinaryIO:
    # Neither through a link nor waiting for the writer of a pipe, whatever took the file's place.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    source = os.fdopen(handle, "rb")
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        source.close()
        raise SourceUnavailable("no regular file any more")
    return source


def _stamp(found: os.stat_result) -> str:
    return f"{found.st_size}/{found.st_mtime_ns}"


def _move(path: Path, to: Path) -> None:
    """Move a file, which may be gone already; another of its name is not written over."""
    if not path.exists():
        return
    to.mkdir(parents=True, exist_ok=True)
    names = [path.name, other_name(path.name, str(path.stat().st_mtime_ns))]
    names += [other_name(names[1], str(number)) for number in range(2, _NAMES_MOST)]
    for name in names:
        try:  # Whoever makes the name has it: two that move at once take two names.
            os.close(os.open(to / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            continue
        shutil.move(path, to / name)
        return
    raise SourceUnavailable(f"over {_NAMES_MOST} files of this name where it is moved to")
