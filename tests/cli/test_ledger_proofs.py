"""Checkpoints and proofs on the command line: the page's worked example, and what is refused."""

import asyncio
import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from cli.tree import run
from domain.ledger.checkpoint import PublicKey
from tests.support.booksbench import StillClock, apply_all
from tests.support.forging import a_signer, forget, rechain
from tests.support.memory import RULES, board
from tests.support.tampered import fill
from tests.support.tree import ROOT
from tests.support.unlocked import unlock_on
from tests.support.witnesses import NAME, Authority, plain_line, served
from workers.clock import WallClock
from workers.reporting import Exit

PAGE = (ROOT / "docs" / "ledger.md").read_text(encoding="utf-8")
ITEM = 80
"""The item of the worked example: the entry by which a payment is applied."""


@dataclass
class Desk:
    """Somebody with a folder, and the environment that they have set."""

    folder: Path
    environ: dict[str, str]
    now: datetime = datetime(2026, 3, 31, 21, 56, 36, 842424, tzinfo=UTC)

    def run(self, *words: str) -> tuple[int, str]:
        """Run a command of ours in the folder: its exit code, and what both streams were told."""
        out, err = io.StringIO(), io.StringIO()
        with (
            pytest.MonkeyPatch.context() as here,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name in [name for name in os.environ if name.startswith("ACQUIT_")]:
                here.delenv(name)
            for name, value in (self.environ | {"COLUMNS": "200"}).items():
                here.setenv(name, value)
            here.setattr(WallClock, "now", lambda _: self.now)
            here.chdir(self.folder)
            code = run(words)
        return code, out.getvalue() + err.getvalue()

    def say(self, *words: str, code: int = 0) -> str:
        """What a command prints on both streams; it must end with `code`."""
        ended, said = self.run(*words)
        assert ended == code, said
        return said

    def engine(self) -> AsyncEngine:
        return books_engine(f"sqlite:///{self.folder / 'home' / 'books.db'}")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a home with books in it, to be copied."""
    home = tmp_path_factory.mktemp("filled") / "home"
    home.mkdir()
    url = f"sqlite:///{home / 'books.db'}"

    async def make() -> None:
        await upgrade(url)
        engine = books_engine(url)
        await fill(engine)
        await engine.dispose()

    asyncio.run(make())
    return home


@pytest.fixture
def desk(filled: Path, tmp_path: Path) -> Desk:
    """Give the lender's desk, without a key."""
    shutil.copytree(filled, tmp_path / "home")
    return Desk(tmp_path, {"ACQUIT_HOME": "home"})


@pytest.fixture
def lender(desk: Desk) -> Desk:
    """Give the lender's desk with a key, a checkpoint and its public keys."""
    desk.say("ledger", "new-key", "signing.pem")
    desk.environ["ACQUIT_SIGNING_KEY"] = "signing.pem"
    desk.say("ledger", "checkpoint", "--out", "march.checkpoint")
    desk.say("ledger", "keys", "--out", "lender.pub")
    return desk


async def _work_on(engine: AsyncEngine) -> None:
    """More loans are boarded."""
    async with SqlBooks(engine, StillClock(), RULES) as books:
        await apply_all(books, [board(name) for name in ("L6", "L7")])
    await engine.dispose()


async def _forge(engine: AsyncEngine) -> None:
    """The reason of an item is changed, and everything after it hashed anew."""
    async with engine.begin() as conn:
        await unlock_on(conn)
        await rechain(conn, ITEM, "another reason")
        await forget(conn, 0)
    await engine.dispose()


APRIL = datetime(2026, 4, 2, 9, 12, tzinfo=UTC)
"""When the auditor asks again."""
BETWEEN = {"The lender goes on working": _work_on, "Somebody with the keys to": _forge}
"""What happens between two parts of the example, by the words that begin the paragraph."""


def steps(page: str) -> Iterator[tuple[str, str]]:
    """Commands of the worked example with what they print, and paragraphs between them."""
    example = page.partition("### A worked example\n")[2].partition("\n### ")[0]
    for number, part in enumerate(re.split(r"```(?:console)?\n", example)):
        if number % 2 == 0:
            yield "", " ".join(part.split())
            continue
        for command in re.split(r"^\$ ", part, flags=re.MULTILINE)[1:]:
            line, _, printed = command.partition("\n")
            yield line, printed


def alike(text: str) -> str:
    """The text without what differs from run to run: names of books, keys, hashes."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "BOOKS", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
    text = re.sub(r"\+[0-9a-f]{8}\+\S+", "+KEY", text)
    text = re.sub(r"signature [0-9a-f]{8}\b", "signature KEY", text)
    text = re.sub(r"^(\S{43}=|\S{60})$", "BASE64", text, flags=re.MULTILINE)
    return re.sub(r"(\N{EM DASH} \S+) \S+", r"\1 SIGNATURE", text)


def test_the_worked_example_of_the_page_runs_word_by_word(desk: Desk) -> None:
    """Every command is run, and prints what the page says; names and hashes aside."""
    ran, happened = 0, 0
    for line, printed in steps(PAGE):
        words = line.split()
        match words:
            case []:
                for begins, happens in BETWEEN.items():
                    if begins in printed:
                        asyncio.run(happens(desk.engine()))
                        happened += 1
                        desk.now = max(desk.now, APRIL)
                continue
            case ["export", pair]:
                name, _, value = pair.partition("=")
                desk.environ[name] = value
                said = ""
            case ["cat", file]:
                said = (desk.folder / file).read_text(encoding="utf-8")
            case ["acquit", *rest]:
                said = desk.run(*rest)[1]
            case _:
                pytest.fail(f"the example has a command that nobody runs: {line}")
        assert alike(said) == alike(printed), line
        ran += 1
    assert (ran, happened) == (15, 2)


def test_a_stranger_needs_neither_books_nor_settings(lender: Desk, tmp_path: Path) -> None:
    """A folder with three files is enough; there is no home, no database, no variable."""
    lender.say("ledger", "prove", "--payment", "P-BC39280A4E72", "--out", "payment.proof")
    away = tmp_path / "away"
    away.mkdir()
    for name in ("payment.proof", "march.checkpoint", "lender.pub"):
        shutil.move(tmp_path / name, away / name)
    words = "ledger check-proof payment.proof --checkpoint march.checkpoint --public-key lender.pub"
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words.split(), "--json"],
        cwd=away,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    events = [item["what"]["event"] for item in said["items"]]
    assert events == ["payment_recorded", "applied", "advanced", "settled", "direct_settlement"]
    assert said["proven"] is True
    assert {path.name for path in away.iterdir()} == {
        "payment.proof",
        "march.checkpoint",
        "lender.pub",
    }


def test_the_example_program_verifies_without_us(lender: Desk) -> None:
    """Standard library and openssl: it accepts what is proven, and nothing that was changed."""
    lender.say("ledger", "prove", "--item", "80", "--item", "3", "--out", "two.proof")
    program = str(ROOT / "examples" / "proofs" / "check_item.py")

    def check(checkpoint: str = "march.checkpoint") -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-I", program, "two.proof", checkpoint, "lender.pub"]
        return subprocess.run(words, cwd=lender.folder, capture_output=True, text=True, check=False)

    bare = subprocess.run(
        [sys.executable, "-I", program], capture_output=True, text=True, check=False
    )
    assert (bare.returncode, bare.stderr[:6]) == (1, "usage:")
    done = check()
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^item (\d+) is proven", done.stdout, re.MULTILINE) == ["3", "80"]
    note = (lender.folder / "march.checkpoint").read_text()
    (lender.folder / "forged").write_text(note.replace("\n145\n", "\n144\n"))
    assert "not signed" in check("forged").stdout
    proof = json.loads((lender.folder / "two.proof").read_text())
    proof["items"][1]["previous"] = "0" * 64
    (lender.folder / "two.proof").write_text(json.dumps(proof))
    done = check()
    assert (done.returncode, "item 80 is not proven" in done.stdout) == (1, True)


def test_other_signers_and_other_checkpoints_prove_nothing(lender: Desk) -> None:
    """Exit code 1, by field, value and rule; a file that is none has exit code 2."""
    lender.say("ledger", "prove", "--item", "3", "--out", "3.proof")
    shown = json.loads(lender.say("ledger", "new-key", "other.pem", "--json"))
    (lender.folder / "other.pub").write_text(shown["public_key"])
    asyncio.run(_work_on(lender.engine()))
    lender.say("ledger", "checkpoint", "--out", "april.checkpoint")
    check = ("ledger", "check-proof", "3.proof", "--checkpoint")
    said = lender.say(*check, "march.checkpoint", "--public-key", "other.pub", code=1)
    assert "checkpoint signature: " in said
    said = lender.say(*check, "april.checkpoint", "--public-key", "lender.pub", "--json", code=1)
    assert '"proven": false' in said
    assert "that the proof is made for" in said
    said = lender.say(*check, "3.proof", "--public-key", "lender.pub", code=2)
    assert "3.proof: checkpoint" in said
    said = lender.say(*check, "march.checkpoint", "--public-key", "signing.pem", code=2)
    assert "(not shown)" in said
    assert "PRIVATE" not in said


def test_the_time_that_is_shown_is_the_one_that_is_signed(lender: Desk) -> None:
    """Another time in the proof changes nothing that anybody signed, and it is not shown."""
    lender.say("ledger", "prove", "--item", "3", "--out", "3.proof")
    check = ("ledger", "check-proof", "3.proof", "--checkpoint", "march.checkpoint")
    said = lender.say(*check, "--public-key", "lender.pub")
    proof = lender.folder / "3.proof"
    forged = re.sub(r"time \d{4}-", "time 1999-", proof.read_text())
    assert forged != proof.read_text()
    proof.write_text(forged)
    assert lender.say(*check, "--public-key", "lender.pub") == said
    assert "1999" not in said


def test_a_size_beyond_every_ledger_is_a_mistake(lender: Desk) -> None:
    """It does not reach the database, whose numbers end before."""
    said = lender.say("ledger", "checkpoint", "--size", "9" * 30, code=2)
    assert "--size" in said


def test_a_key_that_is_replaced_counts_for_older_checkpoints(lender: Desk) -> None:
    """The list of keys says up to which size; both checkpoints are verified with it."""
    lender.say("ledger", "new-key", "second.pem")
    lender.environ["ACQUIT_SIGNING_KEY"] = "second.pem"
    asyncio.run(_work_on(lender.engine()))
    lender.say("ledger", "checkpoint", "--out", "april.checkpoint")
    lender.say("ledger", "keys", "--out", "both.pub")
    old, new = (lender.folder / "both.pub").read_text().splitlines()
    assert old.endswith(" 145")
    assert len(new.split()) == 1
    keys = json.loads(lender.say("ledger", "keys", "--json"))
    assert [key["upto"] for key in keys] == [145, None]
    against = ("--against", "march.checkpoint", "--against", "april.checkpoint")
    said = json.loads(
        lender.say("ledger", "verify", *against, "--public-key", "both.pub", "--json")
    )
    assert [one["agrees"] for one in said["against"]] == [True, True]
    assert len({one["signed_by"] for one in said["against"]}) == 2
    said_no = lender.say("ledger", "verify", *against, "--public-key", "lender.pub", code=2)
    assert "signed by one of the public keys" in said_no


@pytest.mark.parametrize(
    ("words", "code", "rule"),
    [
        (("ledger", "prove"), 2, "one of --item, --payment and --against"),
        (("ledger", "prove", "--item", "3", "--payment", "x"), 2, "one of --item"),
        (("ledger", "prove", "--item", "146"), 2, "item: 146 is refused: from 1 to 145"),
        (("ledger", "prove", "--item", "0"), 2, "item: 0 is refused"),
        (("ledger", "prove", "--payment", "P-none"), 2, "payment: 'P-none' is refused"),
        (("ledger", "prove", "--against", "none"), 2, "must exist"),
        (("ledger", "prove", "--item", "3", "--out", "lender.pub"), 2, "a name that is free"),
        (("ledger", "checkpoint", "--size", "7"), 2, "size: 7 is refused"),
        (("ledger", "checkpoint", "--out", "lender.pub"), 2, "a name that is free"),
        (("ledger", "verify", "--against", "lender.pub"), 2, "lender.pub: checkpoint"),
        (("ledger", "verify", "--public-key", "lender.pub"), 2, "against: '0 files'"),
        (("ledger", "new-key", "signing.pem"), 2, "no key is replaced"),
        (("ledger", "anchor"), 2, "ACQUIT_ANCHORS"),
        (("ledger", "receipt", "--size", "145", "--anchor", "x", "--out", "r"), 2, "nobody"),
        (("ledger", "receipt", "--size", "1", "--anchor", "x", "--out", "r"), 2, "size: 1"),
    ],
)
def test_mistakes_are_refused_by_field_value_and_rule(
    lender: Desk, words: tuple[str, ...], code: int, rule: str
) -> None:
    """Nothing is written, and nothing is left behind."""
    before = {path.name: path.stat().st_size for path in lender.folder.iterdir()}
    assert rule in lender.say(*words, code=code)
    assert {path.name: path.stat().st_size for path in lender.folder.iterdir()} == before


def test_a_key_that_others_may_read_signs_nothing(lender: Desk) -> None:
    """The command ends before anything is asked of the books, and shows no key."""
    (lender.folder / "signing.pem").chmod(0o644)
    said = lender.say("ledger", "checkpoint", code=2)
    assert "permissions: '0644' is refused: 0600 or 0400" in said


def test_a_checkpoint_of_other_books_is_refused(lender: Desk, tmp_path: Path) -> None:
    """Their names differ: nobody compares two lenders by mistake."""
    note = (lender.folder / "march.checkpoint").read_text()
    other = re.sub(r"[0-9a-f]{32}", "c" * 32, note)
    (tmp_path / "other.checkpoint").write_text(other)
    said = lender.say("ledger", "verify", "--against", "other.checkpoint", code=2)
    assert "these books" in said
    said = lender.say("ledger", "prove", "--against", "other.checkpoint", code=2)
    assert "these books" in said


def test_witnesses_are_asked_once_and_their_receipts_are_kept(lender: Desk) -> None:
    """A folder, a server that signs and an authority; one that is away holds up no other."""
    folder, signer = lender.folder, a_signer(9)
    (folder / "vault").mkdir()
    (folder / "tsa").mkdir()
    authority = Authority(folder / "tsa")
    (folder / "w.pub").write_text(PublicKey(NAME, signer.public).text() + "\n")
    with (
        served(lambda content, _: (200, plain_line(content, signer))) as partner,
        served(authority.reply) as tsa,
        served(lambda _c, _h: (503, b"")) as away,
    ):
        (folder / "anchors.toml").write_text(
            f"""
            [anchors.vault]
            kind = "file"
            folder = "vault"
            [anchors.partner]
            kind = "http"
            url = "{partner.url}"
            public_keys = "w.pub"
            [anchors.tsa]
            kind = "rfc3161"
            url = "{tsa.url}"
            certificates = "tsa/ca.pem"
            [anchors.away]
            kind = "http"
            url = "{away.url}"
            public_keys = "w.pub"
            """
        )
        lender.environ["ACQUIT_ANCHORS"] = "anchors.toml"
        said = lender.say("ledger", "anchor", code=Exit.UNAVAILABLE)
        again = lender.say("ledger", "anchor", "--json", code=Exit.UNAVAILABLE)
    assert "checkpoint 145, witnessed by partner, tsa, vault" in said
    assert "anchor away: answered with status 503" in said
    assert '"faults": [\n    "anchor away: answered with status 503"' in again
    assert [len(one.asked) for one in (partner, tsa, away)] == [1, 1, 2]
    (kept,) = json.loads(lender.say("ledger", "checkpoints", "--json"))
    assert [(one["anchor"], one["kind"]) for one in kept["receipts"]] == [
        ("partner", "http"),
        ("tsa", "rfc3161"),
        ("vault", "file"),
    ]
    out = ("--size", "145", "--anchor", "tsa", "--out", "march.tsr")
    lender.say("ledger", "receipt", *out)
    words = ("-data", "../march.checkpoint", "-in", "../march.tsr", "-CAfile", "ca.pem")
    assert "Verification: OK" in authority.run("ts", "-verify", *words)
    (file,) = (folder / "vault").iterdir()
    assert file.read_text() == (folder / "march.checkpoint").read_text()


def test_a_witness_that_holds_another_checkpoint_ends_with_exit_code_1(lender: Desk) -> None:
    """It is what witnesses are for: two ledgers of one name and size."""
    (lender.folder / "vault").mkdir()
    (lender.folder / "anchors.toml").write_text(
        '[anchors.vault]\nkind = "file"\nfolder = "vault"\n'
    )
    lender.environ["ACQUIT_ANCHORS"] = "anchors.toml"
    origin = (lender.folder / "march.checkpoint").read_text().partition("\n")[0]
    name = f"{origin.replace('/', '.')}.{145:019d}.checkpoint"
    (lender.folder / "vault" / name).write_text("another")
    said = lender.say("ledger", "anchor", "--json", code=Exit.NOT_CLEAN)
    assert '"contradicted": [\n    "vault"\n  ]' in said
    assert f"anchor vault holds another checkpoint under {name}" in said


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        ('kind = "file"\nfolder = "none"', "anchors.vault.folder: 'none' is refused"),
        ('kind = "file"', "folder"),
        ('kind = "ftp"\nurl = "ftp://x"', "anchors.vault"),
        ('kind = "http"\nurl = "file:///etc"\npublic_keys = "lender.pub"', "url"),
        ('kind = "http"\nurl = "http://u:p@x/"\npublic_keys = "lender.pub"', "url"),
        ('kind = "http"\nurl = "http://x/"\npublic_keys = "none"', "must exist"),
        ('kind = "rfc3161"\nurl = "http://x/"\ncertificates = "lender.pub"', "root certificates"),
        ('kind = "file"\nfolder = "."\nmore = 1', "no such field"),
    ],
)
def test_a_faulty_file_of_anchors_is_refused(lender: Desk, table: str, rule: str) -> None:
    """Before anything is asked of anybody."""
    (lender.folder / "anchors.toml").write_text(f"[anchors.vault]\n{table}\n")
    lender.environ["ACQUIT_ANCHORS"] = "anchors.toml"
    assert rule in lender.say("ledger", "anchor", code=2)
