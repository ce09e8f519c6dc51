"""Statements over SFTP: the contract over a real OpenSSH server, host keys, lost connections."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.sources import sftp
from adapters.sources.sftp import (
    PART_BYTES,
    Server,
    SftpStatements,
    must_be_private_key,
    must_be_public_key,
)
from domain.errors import InvalidInput
from ports.statementsource import SourceUnavailable, StatementFile, StatementSource
from tests.adapters.sources.contract import SourceContract, StatedBank, content_of
from tests.support.sshd import Sshd, made_key, running_sshd

DAYS = (date(2026, 1, 1), date(2026, 1, 2))


def server_of(sshd: Sshd, folder: str = "in") -> Server:
    """How a running server is reached."""
    where = str(sshd.files / folder)
    keys = (sshd.host_key,)
    return Server(
        "127.0.0.1", sshd.port, sshd.user, keys, where, key=sshd.key, timeout_s=10, settle_s=60
    )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sshd(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Sshd]:
    """Give a running server with two empty folders."""
    async with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        (running.files / "in").mkdir()
        (running.files / "nobody").mkdir()
        yield running


@asynccontextmanager
async def source_at(server: Server) -> AsyncIterator[SftpStatements]:
    source = SftpStatements("A", server)
    try:
        yield source
    finally:
        await source.close()


@pytest_asyncio.fixture(loop_scope="session")
async def source(sshd: Sshd) -> AsyncIterator[SftpStatements]:
    """Give a source of the server, whose folder is empty."""
    for path in (sshd.files / "in").iterdir():
        path.unlink()
    async with source_at(server_of(sshd)) as made:
        yield made


class TestSftpStatements(SourceContract):
    """The contract of all sources, over OpenSSH."""

    @pytest.fixture
    def bank(self, sshd: Sshd, source: SftpStatements) -> StatedBank:
        """Give a folder with two files, one of several parts."""
        contents = (b"first", os.urandom(PART_BYTES + 7))
        for name, content in zip(("a.xml", "b.xml"), contents, strict=True):
            (sshd.files / "in" / name).write_bytes(content)
        hashes = frozenset(hashlib.sha256(content).hexdigest() for content in contents)
        return StatedBank(source, "A", *DAYS, hashes)

    @pytest_asyncio.fixture(loop_scope="session")
    async def nobody(self, sshd: Sshd) -> AsyncIterator[StatementSource]:
        """Give a source of an empty folder."""
        async with source_at(server_of(sshd, "nobody")) as made:
            yield made


async def why(source: SftpStatements) -> str:
    with pytest.raises(SourceUnavailable) as fault:
        await source.offered(*DAYS)
    return fault.value.why


async def test_a_server_with_another_host_key_is_not_talked_to(sshd: Sshd, tmp_path: Path) -> None:
    """Nothing is sent to it, no key and no name; with the right key beside it, it is."""
    other = made_key(tmp_path / "other")
    async with source_at(replace(server_of(sshd), host_keys=(other,))) as source:
        assert await why(source) == "host key is not the one in the settings"
    both = (other, sshd.host_key)
    async with source_at(replace(server_of(sshd), host_keys=both)) as source:
        await source.offered(*DAYS)


async def test_each_way_not_to_reach_a_folder_is_told_apart(sshd: Sshd, tmp_path: Path) -> None:
    """A wrong key of ours, a missing folder, nobody at the port, and one who says nothing."""
    server = server_of(sshd)
    made_key(tmp_path / "mine")
    wrong = (tmp_path / "mine").read_text()
    async with source_at(replace(server, key=wrong)) as source:
        assert await why(source) == "log-in refused"
    async with source_at(replace(server, key=None, password="guess")) as source:
        assert await why(source) == "log-in refused"
    async with source_at(replace(server, folder="/no/such")) as source:
        assert await why(source) == "no such file or folder"
    async with source_at(replace(server, port=1)) as source:
        assert await why(source) == "no connection"

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side has had enough
        writer.close()

    server_of_silence = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server_of_silence:
        port = server_of_silence.sockets[0].getsockname()[1]
        async with source_at(replace(server, port=port, timeout_s=0.3)) as source:
            assert await why(source) == "no answer in time"


async def test_a_killed_connection_is_resumed_where_it_was(
    sshd: Sshd, source: SftpStatements
) -> None:
    """The server loses all connections in the middle of a file: each byte comes once."""
    content = os.urandom(4 * PART_BYTES + 3)
    (sshd.files / "in" / "big.xml").write_bytes(content)
    (file,) = await source.offered(*DAYS)
    got = []
    async with source.open(file) as parts:
        async for part in parts:
            got.append(part)
            if len(got) in {1, 3}:
                assert sshd.cut() > 0
    assert hashlib.sha256(b"".join(got)).digest() == hashlib.sha256(content).digest()


async def test_a_connection_that_never_holds_is_given_up(
    sshd: Sshd, source: SftpStatements, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many tries in a row without a byte: the file is for the next look."""
    (sshd.files / "in" / "a.xml").write_bytes(b"content")
    (file,) = await source.offered(*DAYS)
    tries = []

    async def lost(*_: object) -> bytes:
        tries.append(1)
        raise ConnectionResetError

    monkeypatch.setattr(source, "_read", lost)
    with pytest.raises(SourceUnavailable, match="again and again"):
        await content_of(source, file)
    assert len(tries) == sftp.RESUMES_MOST + 1


@pytest.mark.parametrize("cuts", [False, True])
async def test_a_file_that_grows_is_not_given_out_whole(
    sshd: Sshd, source: SftpStatements, cuts: bool
) -> None:
    """Before it is read, while it is read, and during a resumption: it is a missing answer."""
    path = sshd.files / "in" / "a.xml"
    path.write_bytes(bytes(3 * PART_BYTES))
    (file,) = await source.offered(*DAYS)

    async def grows() -> None:
        async with source.open(file) as parts:
            await anext(parts)
            path.write_bytes(bytes(3 * PART_BYTES + 4))
            if cuts:
                sshd.cut()
            async for _ in parts:
                pass

    with pytest.raises(SourceUnavailable, match="changed"):
        await grows()
    with pytest.raises(SourceUnavailable, match="changed since"):
        await content_of(source, file)


async def test_unfinished_and_other_entries_are_not_offered(
    sshd: Sshd, source: SftpStatements
) -> None:
    """Dot files, files that a program is writing, folders and links are passed over."""
    folder = sshd.files / "in"
    for name in (".hidden", "a.xml.part", "b.XML.FILEPART", "c.tmp", "d~"):
        (folder / name).write_bytes(b"x")
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "良い.xml").write_bytes(b"x")
    names = [file.id for file in await source.offered(*DAYS)]
    assert names == ["良い.xml"]


async def test_done_files_are_moved_and_none_is_written_over(sshd: Sshd) -> None:
    """A second file of one name lies beside the first; one that is gone is done."""
    done, aside = str(sshd.files / "done"), str(sshd.files / "aside" / "deep")
    server = replace(server_of(sshd), done=done, aside=aside)
    path = sshd.files / "in" / "day.xml"
    async with source_at(server) as source:
        for content in (b"one", b"two!"):
            path.write_bytes(content)
            (file,) = [it for it in await source.offered(*DAYS) if it.id == "day.xml"]
            await source.taken(file)
            await source.taken(file)
        path.write_bytes(b"bad")
        (file,) = [it for it in await source.offered(*DAYS) if it.id == "day.xml"]
        await source.put_aside(file)
    kept = sorted(it.read_bytes() for it in Path(done).iterdir())
    assert (kept, Path(aside, "day.xml").read_bytes()) == ([b"one", b"two!"], b"bad")
    assert not path.exists()


async def test_limits_of_listing_and_size_are_told(
    sshd: Sshd, source: SftpStatements, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many entries are a missing answer; a file that is too large can never be taken."""
    for name in ("a", "b", "c"):
        (sshd.files / "in" / name).write_bytes(b"12345")
    files = await source.offered(*DAYS)
    monkeypatch.setattr(sftp, "FILE_BYTES_MOST", 4)
    with pytest.raises(InvalidInput, match="at most 4 bytes"):
        await content_of(source, files[0])
    monkeypatch.setattr(sftp, "LISTED_MOST", 2)
    assert await why(source) == "over 2 entries in the folder"


async def test_a_file_that_is_shorter_than_listed_is_no_file(
    sshd: Sshd, source: SftpStatements, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An end before the end is a missing answer, never a whole file."""
    (sshd.files / "in" / "a.xml").write_bytes(b"content")
    (file,) = await source.offered(*DAYS)

    async def nothing(*_: object) -> bytes:
        return b""

    monkeypatch.setattr(source, "_read", nothing)
    with pytest.raises(SourceUnavailable, match="shorter"):
        await content_of(source, file)


def test_keys_are_checked_and_never_shown(tmp_path: Path) -> None:
    """What is no key is refused; of a private one nothing is repeated."""
    public = made_key(tmp_path / "k")
    must_be_public_key("host_key", public)
    must_be_private_key("key_file", (tmp_path / "k").read_text())
    with pytest.raises(InvalidInput, match="ssh-keyscan"):
        must_be_public_key("host_key", "ssh-ed25519 AAAA")
    with pytest.raises(InvalidInput) as fault:
        must_be_private_key("key_file", "secret words")
    assert "secret words" not in str(fault.value)
    assert "secret" not in repr(Server("h", 22, "u", (public,), "in", key="secret"))


async def test_a_folder_is_asked_over_one_connection(sshd: Sshd, source: SftpStatements) -> None:
    """Looking, reading and moving of several files log in once."""
    for name in ("a", "b"):
        (sshd.files / "in" / name).write_bytes(b"x")
    for file in await source.offered(*DAYS):
        assert await content_of(source, file) == b"x"
    assert len(sshd.sessions()) == 1


async def test_a_name_that_is_no_text_can_be_taken(sshd: Sshd, source: SftpStatements) -> None:
    """A byte that is no UTF-8, a line break and a percent sign: shown in one line, read by it."""
    raw = b"a\xff\n%.xml"
    (sshd.files / "in" / os.fsdecode(raw)).write_bytes(b"x")
    (file,) = await source.offered(*DAYS)
    assert file.id == "a%FF%0A%25.xml"
    assert await content_of(source, replace(file)) == b"x"
    assert isinstance(file, StatementFile)
