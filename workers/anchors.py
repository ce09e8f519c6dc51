"""Which witnesses of checkpoints this installation has, by the file of `ACQUIT_ANCHORS`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import httpx
from cryptography import x509
from pydantic import BaseModel, ConfigDict, Field

from adapters.anchors.folder import FolderAnchor
from adapters.anchors.http import HttpAnchor
from adapters.anchors.rfc3161 import TimestampAnchor
from adapters.inputfile import open_bytes
from adapters.refusals import SourceRefused, refused
from adapters.signing.ed25519 import read_keys
from adapters.validation import read_toml
from domain.errors import InvalidInput
from domain.text import shortened

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from ports.anchors import Anchor
    from workers.settings import Settings

ANCHORS_MOST = 20
_FILE_MOST_BYTES = 64 * 1024
_CERTIFICATES_MOST_BYTES = 1024 * 1024
_NAME = r"^[a-z0-9][a-z0-9-]{0,59}$"
_Url = Annotated[str, Field(pattern=r"^https?://[^\s@]{1,1000}$")]
_Text = Annotated[str, Field(min_length=1, max_length=4096)]


class _Folder(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["file"]
    folder: _Text


class _Http(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["http"]
    url: _Url
    public_keys: _Text


class _Rfc3161(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Literal["rfc3161"]
    url: _Url
    certificates: _Text


_Anchor = Annotated[_Folder | _Http | _Rfc3161, Field(discriminator="kind")]
_Name = Annotated[str, Field(pattern=_NAME)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    anchors: Annotated[dict[_Name, _Anchor], Field(min_length=1, max_length=ANCHORS_MOST)]


async def open_anchors(settings: Settings, closing: AsyncExitStack) -> tuple[Anchor, ...]:
    """The witnesses of this installation in order of their names; closed with `closing`.

    Raises:
        SourceRefused: the file, or one that it names, breaks rules.
    """
    if settings.anchors is None:
        return ()
    found = _read(settings.anchors)
    client = await closing.enter_async_context(httpx.AsyncClient(trust_env=False))
    beside = settings.anchors.parent
    return tuple(_made(name, found[name], beside, client) for name in sorted(found))


def _read(path: Path) -> dict[str, _Folder | _Http | _Rfc3161]:
    def checked(content: dict[str, Any]) -> dict[str, _Folder | _Http | _Rfc3161]:
        return _File.model_validate(content).anchors

    return read_toml(path, _FILE_MOST_BYTES, checked)


def _made(
    name: str, read: _Folder | _Http | _Rfc3161, beside: Path, client: httpx.AsyncClient
) -> Anchor:
    """A witness; names of files are relative to the folder of the file that holds them."""
    match read:
        case _Folder():
            folder = beside / read.folder
            if not folder.is_dir():
                rule = "a folder that is there; it is not made"
                fault = InvalidInput(f"anchors.{name}.folder", shortened(read.folder, 80), rule)
                raise SourceRefused("anchors", [fault])
            return FolderAnchor(name, folder)
        case _Http():
            return HttpAnchor(name, read.url, read_keys(beside / read.public_keys), client)
        case _Rfc3161():
            roots = _certificates(beside / read.certificates)
            return TimestampAnchor(name, read.url, roots, client)


def _certificates(path: Path) -> list[x509.Certificate]:
    with open_bytes(path, _CERTIFICATES_MOST_BYTES) as source:
        content = source.read()
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        found = []
    if not found:
        raise refused(path, "certificates", path.name, "root certificates in PEM")
    return list(dict.fromkeys(found))
