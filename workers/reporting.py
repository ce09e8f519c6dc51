"""What a program says on standard error, how text from outside is shown, and the exit codes."""

from __future__ import annotations

import errno
import sys
import unicodedata
from contextlib import suppress
from enum import IntEnum

from domain.errors import AcquitError, Conflict, InvalidInput, InvariantBroken, Unavailable
from domain.text import escaped


class Exit(IntEnum):
    """Exit codes of every command."""

    DONE = 0
    NOT_CLEAN = 1
    MISTAKE = 2
    UNAVAILABLE = 69
    FAULT = 70
    INTERRUPTED = 130


EXIT_CODES = {
    Exit.DONE: "done, and clean",
    Exit.NOT_CLEAN: "done, but a check found something wrong",
    Exit.MISTAKE: "input or options refused, nothing was changed",
    Exit.UNAVAILABLE: "a server that is needed does not answer, or a disk is full",
    Exit.FAULT: "unexpected error, see the log named",
    Exit.INTERRUPTED: "interrupted",
}


_NAMED = {
    errno.ENOENT: "must exist",
    errno.EACCES: "must be a file that may be read and written here",
    errno.EPERM: "must be a file that may be read and written here",
    errno.EROFS: "lies on a disk that is read-only",
    errno.EISDIR: "must be a file, and is a folder",
    errno.ENOTDIR: "a part of the path is no folder",
    errno.EEXIST: "is there already",
    errno.ELOOP: "is a loop of symbolic links",
    errno.ENAMETOOLONG: "the name is too long",
}
"""Errors of the file system that are about a name that the user gave."""


def complain(error: BaseException) -> Exit:
    """Say on standard error what was wrong with the input; gives the exit code.

    Errors that are not the user's give `Exit.FAULT` (or UNAVAILABLE) and the caller logs them.
    """
    from adapters.refusals import SourceRefused  # noqa: PLC0415  (light, kept with its users)

    match error:
        case SourceRefused(source=source, faults=faults):
            for fault in faults:
                _to_stderr(f"{source}: {fault}")
            return Exit.MISTAKE
        case InvalidInput() | Conflict():
            _to_stderr(str(error))
            return Exit.MISTAKE
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            _to_stderr(f"the disk is full: {error}; nothing is lost, make room and try again")
            return Exit.UNAVAILABLE
        case OSError(filename=str(name), errno=int(number)) if number in _NAMED:
            _to_stderr(f"file: {name!r} is refused: {_NAMED[number]}")
            return Exit.MISTAKE
        case Unavailable():
            _to_stderr(str(error))
            return Exit.UNAVAILABLE
        case AcquitError() if not isinstance(error, InvariantBroken):
            _to_stderr(str(error))
            return Exit.MISTAKE
        case _:
            return _database(error)


def _database(error: BaseException) -> Exit:
    """Say what is wrong with the database, if that is what it is."""
    from adapters.sql.trouble import trouble_of  # noqa: PLC0415  (only after a fault)

    trouble = trouble_of(error)
    if trouble is None:
        return Exit.FAULT
    _to_stderr(trouble.text)
    return Exit.UNAVAILABLE if trouble.away else Exit.MISTAKE


def note(text: str) -> None:
    """Say something that is not part of the result."""
    _to_stderr(text)


def printable(text: str) -> str:
    """`text` with control characters and marks of writing direction shown as escapes.

    Reasons and references come from outside: no line of ours can be forged or hidden by them.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    """How a character that must not reach a terminal is shown; spaces of any width stay spaces."""
    return " " if unicodedata.category(char) == "Zs" else escaped(char)


def _to_stderr(text: str) -> None:
    with suppress(OSError):  # whoever read it has gone, or its disk is full: nobody can be notified
        for line in text.splitlines() or [""]:
            sys.stderr.write(f"acquit: {printable(line)}\n")
        sys.stderr.flush()
