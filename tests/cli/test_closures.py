"""`acquit closures`, `closure` and `certificate`: seen, ordered by two, issued, verified."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.signing.ed25519 import new_key, public_pem
from adapters.sql.engine import books_engine
from adapters.sql.write.books import SqlBooks
from domain.loanclosure.rules import LegKind
from domain.statement.statement import LineItem, StatementLine
from tests.cli.test_cli import Acquit, acquit
from tests.support.booksbench import StillClock
from tests.support.closures import ONE, closing, only
from tests.support.doors import BookLine, RecordPayment, RollDay
from tests.support.memory import PLAIN, RULES, TESTER, board

__all__ = ["acquit"]  # a fixture
WHO = ("--actor", "ops-7", "--approver", "ops-9", "--reason", "checked")
LEGS = only(LegKind.RELEASE_GUARANTOR, LegKind.ISSUE_CERTIFICATE)


@pytest.fixture
def home(acquit: Acquit, tmp_path: Path) -> Path:
    """Books with a settled loan whose closure waits for a guarantor and a certificate."""
    home = tmp_path / "home"
    acquit("db", "upgrade", home=home)
    [file] = home.glob("*.db")
    asyncio.run(_fill(f"sqlite:///{file}"))
    return home


async def _fill(url: str) -> None:
    clock = StillClock()
    clock.to(ONE[0].due_on)
    day, engine = clock.at.date(), books_engine(url)
    rules = replace(RULES, calendars={**RULES.calendars, "CN": PLAIN})
    async with SqlBooks(engine, clock, rules) as books:
        who = {"actor": TESTER, "reason": "a test"}
        await books.apply(board("L1", replace(closing(LEGS), calendar="CN"), ONE))
        await books.apply(RollDay(id="roll", loan_id="L1", day=day, **who))  # type: ignore[arg-type]
        paid = {"loan_id": "L1", "number": 1, "reference": "T", "currency": "CNY"}
        await books.apply(RecordPayment(id="pay", amount_minor=10100, value_on=day, **paid, **who))  # type: ignore[arg-type]
        line = StatementLine(
            "line-1", "ACCT-FUNDER-1-CNY", day, day, 10100, "CNY", None,
            items=(LineItem("T", None, None, 10100),),
        )  # fmt: skip
        await books.apply(BookLine(id="line", statement_id="S", line=line, **who))  # type: ignore[arg-type]
        clock.ahead(timedelta(days=5))
        await books.apply(RollDay(id="roll2", loan_id="L1", day=clock.at.date(), **who))  # type: ignore[arg-type]
    await engine.dispose()


def test_a_closure_is_listed_shown_and_ordered_by_two(acquit: Acquit, home: Path) -> None:
    """What is missing, which leg stands where; one person alone is refused by name."""
    [row] = json.loads(acquit("closures", "--json", home=home).stdout)["closures"]
    assert (row["loan"], row["state"]) == ("L1", "RUNNING")
    assert row["missing"] == ["release_guarantor", "issue_certificate"]
    shown = json.loads(acquit("closure", "L1", "--json", home=home).stdout)
    assert shown["legs"]["release_guarantor"] == "PENDING"
    assert shown["story"]
    told = acquit("closure", "L1", home=home).stdout
    assert "release guarantor: pending" in told
    alone = acquit("closure", "waive", "L1", "leg=release_guarantor", *WHO[:2], *WHO[4:], home=home)
    assert (alone.returncode, "order.approver" in alone.stdout + alone.stderr) == (1, True)
    done = acquit(
        "closure", "state", "L1", "leg=release_guarantor", "proof=letter", *WHO, home=home
    )
    assert done.returncode == 0, done.stderr
    shown = json.loads(acquit("closure", "L1", "--json", home=home).stdout)
    assert shown["legs"]["release_guarantor"] == "DONE"
    assert acquit("closure", "L-none", home=home).returncode == 2
    assert acquit("closure", "waive", home=home).returncode == 2
    assert acquit("closure", "dance", "L1", home=home).returncode == 2


def test_a_certificate_is_issued_shown_and_verified(
    acquit: Acquit, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signed once, printed as often as asked; it verifies with the public key alone."""
    assert acquit("certificate", "issue", "L1", home=home).returncode == 2  # no key
    key = tmp_path / "key.pem"
    signer = new_key(key)
    public = tmp_path / "key.pub"
    public.write_text(public_pem(signer.public))
    monkeypatch.setenv("ACQUIT_SIGNING_KEY", str(key))
    pdf, plain = tmp_path / "c.pdf", tmp_path / "c.json"
    first = acquit("certificate", "issue", "L1", "--out", str(pdf), home=home)
    assert first.returncode == 0, first.stderr
    assert acquit("certificate", "issue", "L1", "--out", str(plain), home=home).returncode == 0
    [held] = json.loads(acquit("certificate", "show", "L1", "--json", home=home).stdout)[
        "certificates"
    ]
    assert held["code"] in first.stdout
    assert held["revoked_at"] is None
    assert held["code"] in acquit("certificate", "show", "L1", home=home).stdout
    listed = tmp_path / "revoked.json"
    assert acquit("certificate", "revoked", "--out", str(listed), home=home).returncode == 0
    for file in (pdf, plain):
        verify = ("certificate", "verify", str(file), "--public-key", str(public))
        alone = acquit(*verify, "--json", home=tmp_path / "nowhere")
        assert (alone.returncode, json.loads(alone.stdout)["state"]) == (0, "genuine")
        for more in (("--books",), ("--revoked", str(listed))):
            said = acquit(*verify, *more, "--json", home=home)
            assert (said.returncode, json.loads(said.stdout)["state"]) == (0, "valid")
    other = tmp_path / "other.pub"
    other.write_text(public_pem(new_key(tmp_path / "other.pem").public))
    strange = acquit("certificate", "verify", str(pdf), "--public-key", str(other), home=home)
    assert strange.returncode == 1
    assert acquit("certificate", "issue", "L-none", home=home).returncode == 2


def test_a_revoked_certificate_verifies_as_revoked(
    acquit: Acquit, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the books and by the list; with the key alone it is genuine, and says that."""
    key, public = tmp_path / "key.pem", tmp_path / "key.pub"
    public.write_text(public_pem(new_key(key).public))
    monkeypatch.setenv("ACQUIT_SIGNING_KEY", str(key))
    pdf, listed = tmp_path / "c.pdf", tmp_path / "revoked.json"
    assert acquit("certificate", "issue", "L1", "--out", str(pdf), home=home).returncode == 0
    undone = acquit(
        "order", "L1/1", "undo_match", "line=line-1", "reference=T", *WHO, home=home
    )  # fmt: skip
    assert undone.returncode == 0, undone.stderr
    assert acquit("certificate", "revoked", "--out", str(listed), home=home).returncode == 0
    verify = ("certificate", "verify", str(pdf), "--public-key", str(public))
    for more in (("--books",), ("--revoked", str(listed))):
        said = acquit(*verify, *more, home=home)
        assert (said.returncode, said.stdout.startswith("revoked since 20")) == (1, True)
    alone = acquit(*verify, home=home)
    assert (alone.returncode, alone.stdout.startswith("genuine")) == (0, True)
    assert "nobody was asked" in alone.stderr
    assert acquit("certificate", "issue", "L1", home=home).returncode == 2
