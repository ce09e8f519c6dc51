"""Settings and the record of the last stack: one place, all faults at once, no secret reported."""

import json
import stat
from pathlib import Path

import pytest

from adapters.rails.http import HttpLimits
from adapters.refusals import SourceRefused
from domain.errors import InvalidInput
from workers.compose import ledger_zone
from workers.settings import load_settings, temporal_config
from workers.stackfile import SECRETS_FILE, STACK_FILE, StackRecord, read_stack, write_stack

SANDBOX = StackRecord(
    mode="sandbox",
    database_url="sqlite+aiosqlite:///books.db",
    temporal_address="127.0.0.1:7000",
    simulator_url="http://127.0.0.1:7001",
    secrets={"sms_secret": "s3cret"},
)


def test_without_an_environment_everything_lies_in_the_home(tmp_path: Path) -> None:
    """A fresh machine needs no setting at all."""
    settings = load_settings(tmp_path)
    assert settings.books_url() == f"sqlite+aiosqlite:///{tmp_path / 'books.db'}"
    assert settings.logs == tmp_path / "logs"
    assert settings.otlp_endpoint is None
    assert settings.products.is_dir()


def test_a_worker_that_stops_waits_longer_than_a_rail_may_take(tmp_path: Path) -> None:
    """A debit that has left is answered and recorded before its worker ends."""
    assert load_settings(tmp_path).drain_timeout_s > HttpLimits().total_s


def test_the_environment_is_read_and_the_command_line_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """ACQUIT_HOME counts unless --home is given."""
    monkeypatch.setenv("ACQUIT_HOME", "elsewhere")
    monkeypatch.setenv("ACQUIT_DATABASE_URL", "postgresql+asyncpg://u:pw@db/books")
    assert load_settings().home == Path("elsewhere")
    settings = load_settings(tmp_path)
    assert settings.home == tmp_path
    assert settings.books_url(SANDBOX) == "postgresql+asyncpg://u:pw@db/books"
    assert "pw" not in repr(settings)


def test_all_faulty_settings_are_reported_together_and_secrets_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every fault names its variable and rule."""
    monkeypatch.setenv("ACQUIT_SMTP_PORT", "0")
    monkeypatch.setenv("ACQUIT_LOG_LEVEL", "loud")
    monkeypatch.setenv("ACQUIT_TENANT", "no spaces")
    with pytest.raises(SourceRefused) as caught:
        load_settings()
    assert {fault.field for fault in caught.value.faults} == {
        "ACQUIT_SMTP_PORT",
        "ACQUIT_LOG_LEVEL",
        "ACQUIT_TENANT",
    }


def test_half_a_mail_login_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without a password would only be noticed with the first reminder."""
    monkeypatch.setenv("ACQUIT_SMTP_PASSWORD", "hunter2")
    with pytest.raises(SourceRefused, match="together") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_a_stack_is_remembered_and_its_secrets_are_for_the_owner_alone(tmp_path: Path) -> None:
    """stack.json may be shown to anybody; secrets.json only to its owner."""
    assert read_stack(tmp_path) is None
    write_stack(tmp_path / "home", SANDBOX)
    home = tmp_path / "home"
    assert read_stack(home) == SANDBOX
    assert "s3cret" not in (home / STACK_FILE).read_text(encoding="utf-8")
    assert stat.S_IMODE((home / SECRETS_FILE).stat().st_mode) == 0o600
    assert load_settings(home).books_url(read_stack(home)) == SANDBOX.database_url


def test_the_password_of_a_database_lies_with_the_secrets(tmp_path: Path) -> None:
    """The address is recorded without it and put together again when read."""
    url = "postgresql+asyncpg://acquit:pw@db:5432/books"
    write_stack(tmp_path, StackRecord(mode="production", database_url=url, temporal_address="t:1"))
    text = (tmp_path / STACK_FILE).read_text(encoding="utf-8")
    assert "pw" not in text
    assert "postgresql+asyncpg://acquit@db:5432/books" in text
    record = read_stack(tmp_path)
    assert record is not None
    assert record.database_url == url
    assert record.secrets == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 9}', '{"version": 1, "mode": "sandbox"}'])
def test_a_damaged_record_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """It says which file, and what to do."""
    (tmp_path / STACK_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput, match=STACK_FILE):
        read_stack(tmp_path)


def test_fields_of_a_later_build_are_left_out(tmp_path: Path) -> None:
    """An older command still finds the stack of a newer one of the same version."""
    write_stack(tmp_path, SANDBOX)
    path = tmp_path / STACK_FILE
    content = json.loads(path.read_text(encoding="utf-8")) | {"new": 1}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_stack(tmp_path) == SANDBOX


def test_temporals_own_variables_win_over_the_stack(tmp_path: Path) -> None:
    """TEMPORAL_ADDRESS first, then the stack, then Temporal's usual address."""
    quiet = {"TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml")}
    assert temporal_config(None, quiet)["target_host"] == "localhost:7233"
    assert temporal_config(SANDBOX, quiet)["target_host"] == "127.0.0.1:7000"
    named = {**quiet, "TEMPORAL_ADDRESS": "cloud:7233", "TEMPORAL_NAMESPACE": "acme"}
    config = temporal_config(SANDBOX, named)
    assert (config["target_host"], config.get("namespace")) == ("cloud:7233", "acme")


def test_the_ledgers_zone_is_set_once_for_an_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As set; else a sandbox posts by its bank's days; a zone that nobody knows is refused."""
    plain = load_settings(tmp_path)
    assert str(ledger_zone(plain, None)) == "UTC"
    assert str(ledger_zone(plain, SANDBOX)) == "Asia/Shanghai"
    monkeypatch.setenv("ACQUIT_LEDGER_TIMEZONE", "Europe/Paris")
    assert str(ledger_zone(load_settings(tmp_path), SANDBOX)) == "Europe/Paris"
    monkeypatch.setenv("ACQUIT_LEDGER_TIMEZONE", "Mars/Olympus")
    with pytest.raises(SourceRefused, match="IANA"):
        load_settings(tmp_path)
