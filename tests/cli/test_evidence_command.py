"""`acquit evidence`: a bundle goes from the lender's desk to somebody without a database."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import text

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from tests.cli.test_ledger_proofs import Desk
from tests.support.booksbench import StillClock, apply_all
from tests.support.memory import RULES, board
from tests.support.tampered import fill


@pytest.fixture
def lender(tmp_path: Path) -> Desk:
    """Give a desk with books, a key, and the public keys in a file."""
    (tmp_path / "home").mkdir()
    desk = Desk(tmp_path, {"ACQUIT_HOME": "home"})

    async def make() -> None:
        await upgrade(f"sqlite:///{tmp_path / 'home' / 'books.db'}")
        engine = desk.engine()
        await fill(engine)
        await engine.dispose()

    asyncio.run(make())
    desk.say("ledger", "new-key", "signing.pem")
    desk.environ["ACQUIT_SIGNING_KEY"] = "signing.pem"
    desk.say("ledger", "keys", "--out", "lender.pub")
    return desk


async def _board(folder: Path) -> None:
    engine = books_engine(f"sqlite:///{folder / 'home' / 'books.db'}")
    async with SqlBooks(engine, StillClock(), RULES) as books:
        await apply_all(books, [board("L6")])
    await engine.dispose()


def test_a_bundle_is_exported_and_verified_elsewhere(lender: Desk, tmp_path: Path) -> None:
    """The outsider has three files; exporting again gives the same bytes."""
    lender.say("ledger", "checkpoint", "--out", "march.checkpoint")
    said = lender.say("evidence", "export", "L1", "--out", "L1.evidence")
    assert "about L1, under the checkpoint of" in said
    lender.say("evidence", "export", "L1", "--out", "again.evidence")
    assert (tmp_path / "again.evidence").read_bytes() == (tmp_path / "L1.evidence").read_bytes()
    asyncio.run(_board(tmp_path))
    lender.say("evidence", "export", "L6", "--out", "L6.evidence", "--json")
    lender.say("ledger", "prove", "--against", "march.checkpoint", "--out", "growth.proof")
    (tmp_path / "home").rename(tmp_path / "away")
    outsider = Desk(tmp_path, {})
    verify = ("evidence", "verify", "--key", "lender.pub")
    said = outsider.say(*verify, "L1.evidence", "--checkpoint", "march.checkpoint")
    assert "stated, not proven:" in said
    facts = json.loads(outsider.say(*verify, "L6.evidence", "--json"))
    assert (facts["proven"], facts["loan"]) == (True, "L6")
    kept = ("--checkpoint", "march.checkpoint")
    assert "--growth" in outsider.say(*verify, "L6.evidence", *kept, code=1)
    assert "grew of" in outsider.say(*verify, "L6.evidence", *kept, "--growth", "growth.proof")


def test_what_is_altered_ends_with_one_line_and_code_1(lender: Desk, tmp_path: Path) -> None:
    """A changed byte, another key, a file that is no bundle, a file that is not there."""
    lender.say("evidence", "export", "L2", "--out", "L2.evidence")
    bundle = bytearray((tmp_path / "L2.evidence").read_bytes())
    bundle[len(bundle) // 2] ^= 1
    (tmp_path / "altered.evidence").write_bytes(bundle)
    lender.say("ledger", "new-key", "other.pem")
    lender.environ["ACQUIT_SIGNING_KEY"] = "other.pem"
    lender.say("ledger", "keys", "--pem", "--out", "other.pub")
    (tmp_path / "text.evidence").write_text("no bundle\n" * 50)
    for words in (
        ("altered.evidence", "--key", "lender.pub"),
        ("L2.evidence", "--key", "other.pub"),
        ("text.evidence", "--key", "lender.pub"),
        ("nothing.evidence", "--key", "lender.pub"),
    ):
        said = lender.say("evidence", "verify", *words, code=1)
        assert said.count("\n") == 1, said
    found = json.loads(
        lender.say("evidence", "verify", *words, "--json", code=1).rpartition("}")[0] + "}"
    )
    assert found["proven"] is False


def test_nothing_is_exported_that_could_not_be_proven(lender: Desk, tmp_path: Path) -> None:
    """An unknown loan, no key, a name that is taken: no file is written."""
    (tmp_path / "taken").write_text("x")
    assert "a loan of these books" in lender.say("evidence", "export", "L9", "-o", "a", code=2)
    assert "a name that is free" in lender.say("evidence", "export", "L1", "-o", "taken", code=2)
    del lender.environ["ACQUIT_SIGNING_KEY"]
    assert "ACQUIT_SIGNING_KEY" in lender.say("evidence", "export", "L1", "-o", "a", code=2)
    assert not (tmp_path / "a").exists()


def test_a_sample_is_a_folder_of_bundles_that_can_be_drawn_again(
    lender: Desk, tmp_path: Path
) -> None:
    """The index has seed, head and digests; each bundle is verified like any other."""
    words = ("evidence", "sample", "--size", "3", "--seed", "april")
    assert "3 of 5 loans in first" in lender.say(*words, "--out", "first")
    again = json.loads(lender.say(*words, "--out", "again", "--json"))
    index = json.loads((tmp_path / "first" / "index.json").read_text())
    assert again == index
    assert {path.name for path in (tmp_path / "first").iterdir()} == {
        "index.json",
        *(one["file"] for one in index["drawn"]),
    }
    for one in index["drawn"]:
        bundle = str(Path("first") / one["file"])
        assert one["loan"] in lender.say("evidence", "verify", bundle, "--key", "lender.pub")
    weighted = json.loads(lender.say(*words, "--risk", "--out", "risky", "--json"))
    assert max(one["weight"] for one in weighted["drawn"]) > 1
    assert "a name that is free" in lender.say(*words, "--out", "first", code=2)
    few = ("evidence", "sample", "--size", "0", "--seed", "x", "--out", "none")
    assert "1 to 1000" in lender.say(*few, code=2)
    assert not (tmp_path / "none").exists()


def test_key_figures_are_printed_for_people_and_programs(lender: Desk) -> None:
    """By team and person; names that begin a formula are quoted in CSV."""
    words = ("kpi", "--from", "2026-03-01", "--to", "2026-03-31")
    facts = json.loads(lender.say(*words, "--json"))
    rows = {(row["team"], row["person"]): row for row in facts["rows"]}
    assert rows["operations", ""]["opened"] == 6
    assert rows["operations", ""]["ended"] == rows["operations", ""]["in_time"] == 3
    table = lender.say(*words, "--csv").splitlines()
    assert table[0] == "team,person,opened,ended,in_time,median_s,p95_s"
    assert "operations" in lender.say(*words)
    assert "either --csv or --json" in lender.say(*words, "--csv", "--json", code=2)
    assert "days later" in lender.say("kpi", "--from", "2026-03-02", "--to", "2026-03-01", code=2)


async def _rename(folder: Path) -> None:
    engine = books_engine(f"sqlite:///{folder / 'home' / 'books.db'}")
    async with engine.begin() as conn:
        await conn.execute(
            text("UPDATE subjects SET body = replace(body, '\"operations\"', '\"=1+1\"')")
        )
    await engine.dispose()


def test_no_cell_of_a_csv_is_a_formula(lender: Desk, tmp_path: Path) -> None:
    """A team whose name a spreadsheet would work out has an apostrophe before it."""
    asyncio.run(_rename(tmp_path))
    said = lender.say("kpi", "--from", "2026-03-01", "--to", "2026-03-31", "--csv")
    assert "\n'=1+1," in said
