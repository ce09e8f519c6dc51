"""Files that people name are looked at before they are read: kind, size, form."""

import gzip
import os
from pathlib import Path

import pytest

from adapters.inputfile import csv_table, open_bytes, open_text, read_text, toml_tables
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
        (gzip.compress(b"a,b\n", mtime=0), "this is gzip: unpack it first"),
        (b"PK\x03\x04rest", "this is a zip archive or spreadsheet (xlsx): "),
        ("a,b\n".encode("utf-16"), "this is UTF-16: save it as UTF-8"),
        (b"%PDF-1.7", "this is a PDF"),
        (b"\x7fELF\x00\x00", "this holds binary data"),
        (b"a,b\n1,\xff\n", "line 2, column 3: 'byte 0xff' is refused: text in UTF-8"),
    ],
)
def test_what_is_plainly_something_else_is_refused_by_name(
    tmp_path: Path, content: bytes, said: str
) -> None:
    """Whoever sends a spreadsheet is answered so, and not that a byte is wrong."""
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


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file of Linux")
def test_a_file_that_opens_and_cannot_be_read_is_refused() -> None:
    """Its first bytes lie nowhere: the system says so only when they are asked for."""
    assert "a file that can be opened and read" in refusal(Path("/proc/self/mem"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a=" + "[" * 100_000, "less deeply nested"),
        (".".join(["a"] * 100_000) + "=1", "99999 points"),
        ("[" + ".".join(["a"] * 100_000) + "]", "99999 points"),
        ("a=" + "9" * 100_000, "without endless numbers"),
        ("a=9999-99-99", "TOML in UTF-8"),
    ],
)
def test_toml_that_costs_without_end_is_refused(tmp_path: Path, content: str, said: str) -> None:
    """Depth, keys of many parts and numbers of many digits are no surprise and take no time."""
    file = tmp_path / "a.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SourceRefused) as refused:
        toml_tables(file, 1 << 20)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,\xff\n", "line 2002, column 3: 'byte 0xff' is refused: text in UTF-8"),
        (b"a,b\n1," + b"x" * 200_000, "at most 65536 characters"),
        (b'a,b\n"1,2\n', "well-formed CSV"),
        (b"a,a\n1,2\n", "each column once"),
        (b'a,b\n"1' + b"\n" * 500 + b"x", "at most 500 lines of one row"),
        (b'a,b\n"1' + (b"x" * 60_000 + b"\n") * 3, "at most 131072 characters"),
        (b"Liu Yang,b,Liu Yang\n1,2,3\n", "columns: '1, 3' is refused: each column once"),
        (b"a,b\n1\n", "columns: 1 is refused: 2, as in the header"),
        (b"a,b\n1,2,3\n", "columns: 3 is refused: 2, as in the header"),
    ],
)
def test_a_table_that_is_not_whole_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """A cell too many, a name twice, an open quotation mark: nothing is read past them."""
    file = tmp_path / "a.csv"
    # Longer than what is looked at first: the byte that is wrong comes later.
    start, _, rest = content.partition(b"\n")
    file.write_bytes(start + b"\n" + b"1,2\n" * 2_000 + rest)
    with pytest.raises(SourceRefused) as refused, open_text(file, 1 << 20) as source:
        list(csv_table(source, file))
    assert said in str(refused.value)


def test_the_rows_of_a_table_are_trimmed_and_empty_ones_left_out(tmp_path: Path) -> None:
    """Each with the line that it ends on; the header comes first."""
    file = tmp_path / "a.csv"
    file.write_text(' a , b\n\n1, "x"\n"2\n",y\n ,\n', encoding="utf-8")
    with open_text(file, 1000) as source:
        rows = list(csv_table(source, file))
    assert rows == [
        (1, {"a": "a", "b": "b"}),
        (3, {"a": "1", "b": "x"}),
        (5, {"a": "2", "b": "y"}),
    ]


def test_a_file_over_its_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Three gigabytes are refused as fast as three bytes: only the size is asked for."""
    file = tmp_path / "large.csv"
    with file.open("wb") as sparse:
        sparse.truncate(3 << 30)
    assert "size: 3221225472 is refused: at most 1000 bytes" in refusal(file)
    file.write_bytes(b"x" * 1000)
    with open_bytes(file, 1000) as whole, open_text(file, 1000) as text:
        assert len(whole.read()) == len(text.read()) == 1000


@pytest.mark.parametrize(
    ("before", "line", "column"),
    [
        (b"", 1, 1),
        (b"\xef\xbb\xbfab", 1, 3),
        ("\u4e00\u4e01,".encode(), 1, 4),
        (b"a\r\nb\rc\nxy", 4, 3),
        (b"a" * (64 * 1024 - 1) + b"\r\nxy", 2, 3),
        (b"a" * (64 * 1024 - 1) + "\u4e00\nx".encode(), 2, 2),
        (b"a" * (64 * 1024), 1, 64 * 1024 + 1),
    ],
)
@pytest.mark.parametrize("bad", [b"\xffz\n", b"\xe4\xb8"])
def test_a_byte_that_is_not_utf_8_is_named_by_its_own_line_and_column(
    tmp_path: Path, before: bytes, line: int, column: int, bad: bytes
) -> None:
    """Whatever ends the lines before it, and also where a character is broken off at the end."""
    file = tmp_path / "a.toml"
    file.write_bytes(before + bad)
    with pytest.raises(SourceRefused) as refused:
        read_text(file, 1 << 20)
    said = f"line {line}, column {column}: 'byte 0x{bad[0]:02x}' is refused: text in UTF-8"
    assert said in str(refused.value)
