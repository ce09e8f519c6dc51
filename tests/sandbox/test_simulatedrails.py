"""The rails of a sandbox: by the names that were asked for, with secrets of their own."""

import stat
from pathlib import Path

import pytest

from cli.tree import run
from domain.errors import InvalidInput, Unavailable
from sandbox.mandates import sign_mandates
from sandbox.simulatedrails import SMS_SECRET, SimulatedRails
from simulator.railfile import read_rails
from tests.support.memory import board
from tests.support.railsfile import rails_file
from workers.rails import rails_of
from workers.reporting import Exit
from workers.settings import Settings
from workers.stackfile import StackRecord


def record(rails: SimulatedRails) -> StackRecord:
    """What a stack with these rails leaves behind."""
    return StackRecord(
        mode="sandbox",
        database_url="sqlite+aiosqlite:///b",
        temporal_address="x:1",
        rails=rails.records("http://127.0.0.1:9"),
        secrets=dict(rails.secrets),
    )


def test_a_sandbox_has_the_usual_rail_those_of_its_home_and_those_asked_for() -> None:
    """None is lost by going on without naming it: there may be loans on it."""
    assert SimulatedRails.of((), None).names == ("simbank",)
    first = SimulatedRails.of(("b", "a", "b"), None)
    assert first.names == ("a", "b")
    assert SimulatedRails.of((), record(first)).names == ("a", "b")
    again = SimulatedRails.of(("c",), record(first))
    assert again.names == ("a", "b", "c")
    assert set(first.secrets.values()).isdisjoint(again.secrets.values())
    assert len(set(again.secrets.values())) == len(again.secrets) == 2 * 3 + 1


def test_simulator_and_registry_read_the_same_rails(tmp_path: Path) -> None:
    """Secrets and merchants agree, webhooks come to the rail's own door, nobody else may read."""
    rails = SimulatedRails.of(("a", "b"), None)
    path = rails.write(tmp_path / "rails.toml", "http://127.0.0.1:8/webhooks")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    played, known = read_rails(str(path)), rails_of(Settings(), record(rails))
    assert set(played) == set(known) == {"a", "b"}
    for name, entry in known.items():
        assert entry.login is not None
        assert played[name]["merchant_id"] == entry.merchant_id
        assert {key: played[name][key] for key in entry.login.secrets} == entry.login.secrets
        assert played[name]["webhook_url"] == f"http://127.0.0.1:8/webhooks/{name}"
        assert entry.url == f"http://127.0.0.1:9/rails/{name}"
    assert rails.secrets[SMS_SECRET] not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["transfer", "Bank", "", "a/b"])
def test_a_name_that_no_rail_may_have_is_refused(name: str) -> None:
    """Before anything is started."""
    with pytest.raises(InvalidInput, match="rail: "):
        SimulatedRails.of((name,), None)


def test_a_sandbox_does_not_start_beside_rails_of_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its virtual time would debit real money: one line, exit code 2, nothing in the home."""
    monkeypatch.setenv("ACQUIT_RAILS", str(rails_file(tmp_path, "http://x")))
    for command in (["up"], ["demo", "--loans", "1"]):
        assert run(["--home", str(tmp_path / "home"), *command]) == Exit.MISTAKE
        assert "ACQUIT_RAILS" in capsys.readouterr().err
    monkeypatch.delenv("ACQUIT_RAILS")
    assert run(["--home", str(tmp_path / "home"), "up", "--rail", "Bank"]) == Exit.MISTAKE
    assert "rail: 'Bank' is refused" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["stack.lock"]


async def test_a_mandate_cannot_be_signed_at_a_rail_that_is_not_here() -> None:
    """In the copy of a home the books know the rail and nobody answers: it says what to start."""
    with pytest.raises(Unavailable, match=r"rail simbank cannot be reached here; .*acquit up"):
        await sign_mandates({}, [board("L1")])
