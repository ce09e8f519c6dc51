"""Files that people name are looked at before they are read: kind, size, form."""

import gzip
import os
from pathlib import Path

import pytest

from adapters.inputfile import open_bytes, open_text, read_text
from adapters.refusals import SourceRefused


def refusal(path: Path, most_bytes: int = 1000) -> str:
    """Give what is said when a text file is refused."""
    with pytest.raises(SourceRefused) as refused:
        read_text(path, most_bytes)
    return str(refused.value)


def test_text_is_read_with_and_without_its_mark(tmp_path: Path) -> None:
    """A mark in front is no part of the text; line ends stay as they are."""
    file = tmp_path / "a.csv"
    file.write_bytes(b"\xef\xbb\xbfa,b\r\n1,\xc3\xa9\r\n")
    assert read_text(file, 1000) == "a,b\r\n1,é\r\n"
    file.write_bytes(b"")
    assert read_text(file, 1000) == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"a,b\n"), "this is gzip: unpack it first"),
        (b"PK\x03\x04rest", "this is a zip archive or spreadsheet (xlsx): "),
        ("a,b\n".encode("utf-16"), "this is UTF-16: save it as UTF-8"),
        (b"%PDF-1.7", "this is a PDF"),
        (b"\x7fELF\x00\x00", "this holds binary data"),
        (b"a,b\n1,\xff\n", "byte 6: 255 is refused: text in UTF-8"),
    ],
)
def test_what_is_plainly_something_else_is_refused_by_name(
    tmp_path: Path, content: bytes, said: str
) -> None:
    """Whoever sends a spreadsheet is told so, and not that a byte is wrong."""
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    assert said in refusal(file)


def test_a_pipe_a_folder_a_device_and_a_loop_are_refused_at_once(tmp_path: Path) -> None:
    """None of them is read: a pipe would wait for ever, a device would never end."""
    pipe, loop = tmp_path / "pipe", tmp_path / "loop"
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        assert "a regular file; not a folder, pipe or device" in refusal(path)
    assert "a file that can be opened" in refusal(loop)
    assert "'none' is refused: must exist" in refusal(tmp_path / "none")


def test_a_file_over_its_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Three gigabytes are refused as fast as three bytes: only the size is asked for."""
    file = tmp_path / "large.csv"
    with file.open("wb") as sparse:
        sparse.truncate(3 << 30)
    assert "size: 3221225472 is refused: at most 1000 bytes" in refusal(file)
    file.write_bytes(b"x" * 1000)
    with open_bytes(file, 1000) as whole, open_text(file, 1000) as text:
        assert len(whole.read()) == len(text.read()) == 1000
