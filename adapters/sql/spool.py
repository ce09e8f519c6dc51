"""A file on disk that lives as long as its context: hashed and measured while it is written."""

import asyncio
import hashlib
import tempfile
from types import TracebackType
from typing import BinaryIO, Self

from domain.errors import InvalidInput


class Spool:
    """A file without a name in the folder for temporary files; the system removes it in any case.

    Args:
        most: the most bytes that it takes.
    """

    def __init__(self, most: int) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)
        self._most = most
        self._hash = hashlib.sha256()
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of everything written, in lower-case hex."""
        return self._hash.hexdigest()

    async def write(self, part: bytes) -> None:
        """Add a part.

        Raises:
            InvalidInput: the file would be too large.
        """
        self.size += len(part)
        if self.size > self._most:
            raise InvalidInput("file", f"over {self._most} bytes", f"at most {self._most} bytes")
        await asyncio.to_thread(self._write, part)

    def _write(self, part: bytes) -> None:
        self._hash.update(part)
        self._file.write(part)

    def rewound(self) -> BinaryIO:
        """The file, to be read from its beginning."""
        self._file.seek(0)
        return self._file
