"""A folder that only grows, on a disk or share that is not ours to change."""

import asyncio
import hashlib
import os
from pathlib import Path

from domain.errors import Conflict
from domain.ledger.checkpoint import NOTE_MOST_BYTES, Checkpoint
from ports.anchors import AnchorFailed, Testimony

_DIGITS = 19


class FolderAnchor:
    """Implements `ports.anchors.Anchor`: one file for each checkpoint, none of them replaced.

    Args:
        name: in our settings.
        folder: must be there; it is not made, for a share that is not mounted is no witness.
    """

    kind = "file"

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder

    async def witness(self, checkpoint: Checkpoint) -> Testimony:
        """Write the checkpoint to its file; the testimony names the file and its SHA-256."""
        head, content = checkpoint.head, checkpoint.text().encode()
        file = f"{head.origin.replace('/', '.')}.{head.size:0{_DIGITS}d}.checkpoint"
        try:
            await asyncio.to_thread(self._put, file, content)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise AnchorFailed(self.name, f"its folder cannot be written ({reason})") from None
        return Testimony(f"{file} sha256 {hashlib.sha256(content).hexdigest()}\n".encode())

    def _put(self, name: str, content: bytes) -> None:
        """Give a file its name once it is whole and on the disk.

        Raises:
            Conflict: the name has another content.
            OSError: the folder cannot be written.
        """
        path, part = self._folder / name, self._folder / f".{name}.{os.getpid()}.part"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        handle = os.open(part, flags, 0o444)
        try:
            with os.fdopen(handle, "wb") as output:
                output.write(content)
                output.flush()
                os.fsync(output.fileno())
            os.link(part, path)
            self._sync()
        except FileExistsError:
            with path.open("rb") as there:
                if there.read(NOTE_MOST_BYTES + 1) != content:
                    text = f"anchor {self.name} holds another checkpoint under {name}"
                    raise Conflict(text) from None
        finally:
            part.unlink(missing_ok=True)

    def _sync(self) -> None:
        """Have the folder itself on the disk."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
