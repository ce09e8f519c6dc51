"""Result files appear whole or not at all, and never in the place of something else."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.outfile import written
from domain.errors import InvalidInput
from sandbox.homefiles import LOCK_FILE


def names(folder: Path) -> list[str]:
    """Give the files of a folder."""
    return sorted(file.name for file in folder.iterdir())


def test_a_file_appears_when_all_of_it_is_written(tmp_path: Path) -> None:
    """Until the end nobody can read a half of it."""
    path = tmp_path / "out.csv"
    with written(path) as output:
        output.write("a,b\n")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "a,b\n"
    assert names(tmp_path) == ["out.csv"]


def test_an_error_on_the_way_leaves_what_was_there(tmp_path: Path) -> None:
    """Neither a half of the new one nor a left-over beside it."""
    path = tmp_path / "out.csv"
    path.write_text("old", encoding="utf-8")

    def fail() -> None:
        with written(path, replace=True) as output:
            output.write("new")
            raise RuntimeError("the books moved")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["out.csv"]


def test_what_is_there_is_replaced_only_when_that_is_asked_for(tmp_path: Path) -> None:
    """Without `replace` the name must be free, also at the very end."""
    path = tmp_path / "out.csv"

    def raced() -> None:
        with written(path) as output:
            output.write("mine")
            path.write_text("came meanwhile", encoding="utf-8")

    with pytest.raises(InvalidInput, match="a name that is free"):
        raced()
    assert path.read_text(encoding="utf-8") == "came meanwhile"
    with written(path, replace=True) as output:
        output.write("mine")
    assert path.read_text(encoding="utf-8") == "mine"


def test_books_folders_and_links_are_never_replaced(tmp_path: Path) -> None:
    """A typo in -o must not cost a database."""
    books, link = tmp_path / "books.db", tmp_path / "link"
    with sqlite3.connect(books) as database:
        database.execute("CREATE TABLE t (a)")
    link.symlink_to(books)
    before = books.read_bytes()
    for path in (books, link, tmp_path, tmp_path / "none" / "x"):
        with pytest.raises(InvalidInput), written(path, replace=True) as output:
            output.write("x")
    assert books.read_bytes() == before


@pytest.mark.parametrize("name", ["clock", "stack.json", "secrets.json", "temporal.db-shm"])
def test_the_files_of_a_home_are_never_replaced(tmp_path: Path, name: str) -> None:
    """A result that is given the name of a sandbox's own file would end the sandbox."""
    path = tmp_path / name
    path.write_text("kept", encoding="utf-8")
    with written(path, replace=True) as output:
        output.write("a folder where no sandbox was")
    (tmp_path / LOCK_FILE).touch()
    with pytest.raises(InvalidInput, match="no file of a home"), written(path, replace=True):
        pass
    assert path.read_text(encoding="utf-8") == "a folder where no sandbox was"


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
def test_what_lies_beside_a_database_is_never_replaced(tmp_path: Path, end: str) -> None:
    """Committed money may lie in the file beside the books, wherever they are."""
    with closing(sqlite3.connect(tmp_path / "mine.sqlite")) as books:
        books.execute("create table t (x)")
    path = tmp_path / f"mine.sqlite{end}"
    path.write_bytes(b"committed")
    with pytest.raises(InvalidInput, match="no database"), written(path, replace=True):
        pass
    assert path.read_bytes() == b"committed"
