"""`acquit statements read`: one model for every format, and refusals that name line and field."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli import statement_output
from cli.tree import run
from workers.reporting import Exit

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "statements"
MAPS = EXAMPLES / "maps"


def model(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    """What JSON says of a file that adds up."""
    assert run(["statements", "read", *words, "--json"]) == Exit.DONE
    said = capsys.readouterr()
    assert said.err == ""
    document = json.loads(said.out)
    assert isinstance(document, dict)
    return document


def test_three_spellings_of_one_day_print_one_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Ids, amounts, references, statuses and balances are those of the same statement."""
    heads, entries, formats = set(), set(), []
    for name in ("day.camt053.xml", "day.mt940", "day.bai2"):
        document = model(capsys, str(EXAMPLES / name))
        formats.append(document["format"])
        (one,) = document["statements"]
        heads.add((one["kind"], one["account"], one["opening"], one["closing"], one["sum"]))
        assert one["lines"] == len(one["entries"]) == 3
        entries |= {
            (entry["id"], entry["amount"], entry["status"], entry["items"][0]["end_to_end_id"])
            for entry in one["entries"]
        }
    assert formats == ["camt.053.001.08", "MT940", "BAI2"]
    assert heads == {("statement", "ACCT-FUNDER-1-CNY", "25000.00", "26511.00", "1511.00")}
    name = "ACCT-FUNDER-1-CNY/2026-05-06"
    assert entries == {
        (f"{name}/EX-0001", "1012.35", "booked", "EXAMPLEORDER1"),
        (f"{name}/EX-0002", "1001.35", "booked", "RENT"),
        (f"{name}/EX-0003", "-502.70", "booked", "EXAMPLEORDER0"),
    }


def test_every_format_has_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the model of one format reads them all."""
    files = [[str(EXAMPLES / name)] for name in ("day.camt053.xml", "day.mt940", "day.bai2")]
    names = sorted(path.stem for path in MAPS.glob("*.toml"))
    files += [
        [str(EXAMPLES / f"{name}.csv"), "--map", str(MAPS / f"{name}.toml")] for name in names
    ]
    shapes = set()
    for words in files:
        document = model(capsys, *words)
        (one,) = document["statements"]
        item = next(found for entry in one["entries"] for found in entry["items"])
        shapes.add((*document, *one, *one["entries"][0], *item))
    assert len(files) == 8
    assert len(shapes) == 1


def test_amounts_are_decimals_as_text_and_as_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Signed and exact, beside what stands in the file; balances of every kind; bank's totals."""
    (one,) = model(capsys, str(EXAMPLES / "day.mt940"))["statements"]
    back = one["entries"][2]
    assert (back["amount"], back["printed"], back["code"]) == ("-502.70", "502,70", "NRTI/109")
    assert back["items"][0]["return_reason"] == "AM04"
    assert one["balances"][2] == {
        "kind": "closing_available",
        "amount": "26000.00",
        "currency": "CNY",
        "on": "2026-05-06",
    }
    (bai2,) = model(capsys, str(EXAMPLES / "day.bai2"))["statements"]
    assert bai2["totals"]["credits"] == {"number": 2, "sum": "2013.70"}


def test_pending_entries_are_shown_and_counted_apart(capsys: pytest.CaptureFixture[str]) -> None:
    """They have a status and no id, and are no part of the sum."""
    name = "bank-two-columns"
    words = [str(EXAMPLES / f"{name}.csv"), "--map", str(MAPS / f"{name}.toml")]
    (one,) = model(capsys, *words)["statements"]
    assert (one["lines"], one["left_out"], one["sum"]) == (3, 1, "1012.35")
    (pending,) = [entry for entry in one["entries"] if entry["status"] == "pending"]
    assert (pending["id"], pending["amount"]) == (None, "120.00")
    assert run(["statements", "read", *words, "--lines"]) == Exit.DONE
    shown = capsys.readouterr().out
    assert "pending" in shown
    assert f"csv {name}, sha256 " in shown


def test_a_table_of_entries_has_a_limit(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is said, and where it is found."""
    monkeypatch.setattr(statement_output, "SHOWN_MOST", 2)
    assert run(["statements", "read", str(EXAMPLES / "day.mt940"), "--lines"]) == Exit.DONE
    shown = capsys.readouterr().out
    assert "EX-0002" in shown
    assert "EX-0003" not in shown
    assert "1 more: --json has them all" in shown


def test_a_file_of_several_statements_is_one_document(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Entries stand under their own statement, also where one has none."""
    text = (EXAMPLES / "day.mt940").read_text()
    lines = text.splitlines(keepends=True)
    empty = "".join(line for line in lines if not line.startswith((":61:", ":86:")))
    empty = empty.replace("26511,00", "25000,00").replace("126/1", "127/1")
    path = tmp_path / "two.sta"
    path.write_text(empty + text)
    document = model(capsys, str(path))
    assert [len(one["entries"]) for one in document["statements"]] == [0, 3]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("day.mt940", "260506C1012", "260230C1012", "line 5: :61: value date: '260230'"),
        ("day.bai2", "16,195,101235", "16,195,x", "line 5: 16 amount: 'x' is refused"),
        ("day.camt053.xml", ">1012.35<", ">1012.355<", "line 30: Ntry/Amt: '1012.355'"),
    ],
)
def test_a_refusal_names_line_field_and_rule(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    old: str,
    new: str,
    said: str,
) -> None:
    """On standard error, with the code of a mistake and nothing on standard output."""
    text = (EXAMPLES / name).read_text()
    if name == "day.mt940":
        text = text.replace("2605060506C1012", f"{new[:6]}0506C1012")
    path = tmp_path / name
    path.write_text(text.replace(old, new, 1))
    assert run(["statements", "read", str(path), "--json"]) == Exit.MISTAKE
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


def test_a_table_without_a_map_and_a_broken_map_are_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The first says how to give a map; the second names its field."""
    table = str(EXAMPLES / "bank-sign-column.csv")
    assert run(["statements", "read", table]) == Exit.MISTAKE
    assert "--map" in capsys.readouterr().err
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n')
    assert run(["statements", "read", table, "--map", str(path)]) == Exit.MISTAKE
    assert "mine.toml: kind" in capsys.readouterr().err


def test_sums_that_do_not_add_up_are_reported_in_money(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The document is whole, and the fault gives exit code 1."""
    path = tmp_path / "day.bai2"
    path.write_text((EXAMPLES / "day.bai2").read_text().replace("100,201370,2", "100,201371,2"))
    text = path.read_text()
    path.write_text(text.replace("5654380", "5654381"))
    assert run(["statements", "read", str(path), "--json"]) == Exit.NOT_CLEAN
    shown = capsys.readouterr()
    assert json.loads(shown.out)["statements"][0]["faults"][0]["rule"] == "summary_sum_differs"
    assert "summary_sum_differs: stated 2013.71, counted 2013.70" in shown.err
