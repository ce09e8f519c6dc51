"""Statements in a folder: the contract, what is passed over, and what changes while it is read."""

import hashlib
import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from adapters.sources import folder as module
from adapters.sources.filenames import id_of, name_of, other_name
from adapters.sources.folder import PART_BYTES, Folder, FolderStatements
from ports.statementsource import SourceUnavailable, StatementSource
from tests.adapters.sources.contract import SourceContract, StatedBank, content_of

DAYS = (date(2026, 1, 1), date(2026, 1, 2))


class TestFolderStatements(SourceContract):
    """The contract of all sources, over a folder."""

    @pytest.fixture
    def bank(self, tmp_path: Path) -> StatedBank:
        """Give a folder with two files, one of several parts."""
        contents = (b"first", os.urandom(PART_BYTES + 7))
        for name, content in zip(("a.xml", "b.xml"), contents, strict=True):
            (tmp_path / name).write_bytes(content)
        hashes = frozenset(hashlib.sha256(content).hexdigest() for content in contents)
        return StatedBank(FolderStatements("A", Folder(tmp_path)), "A", *DAYS, hashes)

    @pytest.fixture
    def nobody(self, tmp_path: Path) -> StatementSource:
        """Give a source of an empty folder."""
        (tmp_path / "empty").mkdir()
        return FolderStatements("B", Folder(tmp_path / "empty"))


async def names(source: FolderStatements) -> list[str]:
    return sorted(file.id for file in await source.offered(*DAYS))


async def test_unfinished_and_other_entries_are_not_offered(tmp_path: Path) -> None:
    """Dot files, files that a program is writing, folders, links and pipes are passed over."""
    for name in (".hidden", "a.xml.part", "b.XML.FILEPART", "c.tmp", "d~", "good.xml"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.xml").mkdir()
    (tmp_path / "link.xml").symlink_to("good.xml")
    os.mkfifo(tmp_path / "pipe.xml")
    assert await names(FolderStatements("A", Folder(tmp_path))) == ["good.xml"]


async def test_a_file_that_changes_is_not_given_out_whole(tmp_path: Path) -> None:
    """After it was listed, or while it is read: a missing answer, and another stamp."""
    path, source = tmp_path / "a.xml", FolderStatements("A", Folder(tmp_path))
    path.write_bytes(bytes(2 * PART_BYTES))
    (file,) = await source.offered(*DAYS)

    async def grows() -> None:
        async with source.open(file) as parts:
            async for _ in parts:
                with path.open("ab") as writer:
                    writer.write(b"x")

    with pytest.raises(SourceUnavailable, match="changed since"):
        await grows()
    with pytest.raises(SourceUnavailable, match="changed since"):
        await content_of(source, file)
    (again,) = await source.offered(*DAYS)
    assert again.stamp != file.stamp
    assert len(await content_of(source, again)) == path.stat().st_size


async def test_what_takes_the_place_of_a_file_is_not_read(tmp_path: Path) -> None:
    """A link or a pipe under the name of a file that was listed: nobody follows or waits."""
    path, source = tmp_path / "a.xml", FolderStatements("A", Folder(tmp_path))
    path.write_bytes(b"x")
    (file,) = await source.offered(*DAYS)
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(SourceUnavailable):
        await content_of(source, file)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(SourceUnavailable, match="no regular file"):
        await content_of(source, file)


async def test_a_missing_folder_and_a_full_one_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the words of the system; more entries than are looked at are no answer."""
    with pytest.raises(SourceUnavailable, match="No such file"):
        await names(FolderStatements("A", Folder(tmp_path / "none")))
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    monkeypatch.setattr(module, "LISTED_MOST", 2)
    with pytest.raises(SourceUnavailable, match="over 2 entries"):
        await names(FolderStatements("A", Folder(tmp_path)))


async def test_done_files_are_moved_and_none_is_written_over(tmp_path: Path) -> None:
    """A second file of one name lies beside the first; one that is gone is done."""
    path, done = tmp_path / "in" / "day.xml", tmp_path / "done"
    path.parent.mkdir()
    folder = Folder(path.parent, done=done, aside=tmp_path / "aside")
    source = FolderStatements("A", folder)
    for content in (b"one", b"two", b"three", b"four"):
        path.write_bytes(content)
        os.utime(path, ns=(1, 1))  # the mark of the second name is the time of the file
        (file,) = await source.offered(*DAYS)
        await source.taken(file)
        await source.taken(file)
    path.write_bytes(b"bad")
    (file,) = await source.offered(*DAYS)
    await source.put_aside(file)
    assert sorted(it.read_bytes() for it in done.iterdir()) == [b"four", b"one", b"three", b"two"]
    assert (tmp_path / "aside" / "day.xml").read_bytes() == b"bad"
    path.write_bytes(b"stays")
    unmoved = FolderStatements("A", replace(folder, done=None, aside=None))
    (file,) = await unmoved.offered(*DAYS)
    await unmoved.taken(file)
    await unmoved.put_aside(file)
    assert path.exists()


@pytest.mark.parametrize("name", ["a.xml", "良い 1.xml", "100%.xml", "a\nb", os.fsdecode(b"a\xff")])
def test_every_name_has_an_id_of_one_line_and_comes_back(name: str) -> None:
    """Printable, and the same name again."""
    assert id_of(name).isprintable()
    assert name_of(id_of(name)) == name


def test_a_second_name_keeps_the_ending() -> None:
    """Programs know a file by its ending."""
    assert other_name("day.xml", "7") == "day.7.xml"
    assert other_name("day", "7") == "day.7"
    assert other_name(".day", "7") == ".day.7"
