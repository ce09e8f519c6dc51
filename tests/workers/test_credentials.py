"""Secrets and the addresses that they belong to."""

from pathlib import Path

import pytest

from adapters.rails.kind import RailLogin
from adapters.rails.simbank.client import SimbankConfig
from adapters.refusals import SourceRefused
from cli.tree import run
from domain.errors import InvalidInput
from workers.credentials import SmsLogin, mail_server, needed_secrets, sms_login
from workers.rails import RailEntry
from workers.reporting import Exit
from workers.settings import Settings, load_settings, temporal_config
from workers.stackfile import StackRecord

STACK = StackRecord(
    mode="sandbox",
    database_url="sqlite+aiosqlite:///b",
    temporal_address="127.0.0.1:7000",
    simulator_url="http://stack.example",
    smtp="stack.example:2525",
    secrets={"sms_secret": "stack sms_secret", "rails.simbank.api_secret": "stack api_secret"},
)
OURS = "environment sms_secret"
SMS_URL = "http://sms.example"


def settings(**given: object) -> Settings:
    """Settings from these values alone."""
    return Settings.model_validate(given)


@pytest.mark.parametrize("record", [None, STACK])
def test_the_carriers_secret_goes_only_to_the_address_of_its_own_source(
    record: StackRecord | None,
) -> None:
    """Whatever is set and whatever is missing: no secret stands in for another one."""
    own = sms_login(settings(sms_url=SMS_URL, sms_secret=OURS), record)
    assert own is not None
    assert (own.url, own.secret) == (SMS_URL, OURS)
    without = [sms_login(settings(**given), record) for given in ({}, {"sms_secret": OURS})]
    kept = None if record is None else SmsLogin("http://stack.example", "stack sms_secret")
    assert without == [kept, kept]


def test_a_carrier_of_text_messages_without_its_secret_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The program says which variable is missing and ends, before anything is sent anywhere."""
    monkeypatch.setenv("ACQUIT_SMS_URL", "http://sms.example")
    code = run(["--home", str(tmp_path / "home"), "worker", "all"])
    said = capsys.readouterr()
    assert code == Exit.MISTAKE
    assert "sms_secret is given with sms_url" in said.err


@pytest.mark.parametrize("name", ["SMS_SECRET", "SMTP_PASSWORD", "PAYLOAD_KEYS"])
def test_an_empty_secret_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A variable that is set to nothing is a mistake: anybody could sign with an empty key."""
    monkeypatch.setenv(f"ACQUIT_{name}", "")
    with pytest.raises(SourceRefused) as caught:
        load_settings()
    assert [fault.field for fault in caught.value.faults] == [f"ACQUIT_{name}"]


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!"])
def test_a_webhook_secret_that_is_no_key_is_refused(secret: str) -> None:
    """An empty key, or text that is no base64 after `whsec_`, ends the start, not each webhook."""
    with pytest.raises(InvalidInput, match="webhook_secret"):
        SimbankConfig("M", {"M": "a secret"}, (secret,))


def test_a_secret_that_the_stack_lacks_is_refused_by_name() -> None:
    """The record of an older build has no secret for text messages: it says what to do."""
    bare = StackRecord(
        mode="sandbox",
        database_url="sqlite+aiosqlite:///b",
        temporal_address="127.0.0.1:7000",
        simulator_url="http://stack.example",
        secrets={"rails.simbank.api_secret": "r"},
    )
    with pytest.raises(InvalidInput, match="sms_secret"):
        sms_login(settings(sms_secret=OURS), bare)


def test_a_mail_login_never_goes_to_the_mail_server_of_a_stack() -> None:
    """User and password belong to the server of the environment."""
    login = {"smtp_user": "mailer", "smtp_password": "mail secret"}
    assert mail_server(settings(**login), STACK).password is None
    own = mail_server(settings(**login, smtp_host="mail.example"), STACK)
    assert (own.host, own.username, own.password) == ("mail.example", "mailer", "mail secret")


def test_an_api_key_of_temporal_needs_its_address(tmp_path: Path) -> None:
    """The key of a cloud is not sent to the server of a stack, nor to the usual local address."""
    given = {"TEMPORAL_CONFIG_FILE": str(tmp_path / "none.toml"), "TEMPORAL_API_KEY": "a key"}
    for record in (None, STACK):
        with pytest.raises(InvalidInput, match="TEMPORAL_ADDRESS"):
            temporal_config(record, given)
    named = temporal_config(STACK, {**given, "TEMPORAL_ADDRESS": "cloud:7233"})
    assert named["target_host"] == "cloud:7233"


@pytest.mark.parametrize(
    "address", ["::::", "x", "x:", ":7233", "http://x:7233", "x:7233/y", "x:70000", "x:y", "[x"]
)
def test_an_address_of_temporal_that_is_none_is_refused(address: str) -> None:
    """By the name of its variable, before anybody connects."""
    with pytest.raises(InvalidInput, match=r"TEMPORAL_ADDRESS.*HOST:PORT"):
        temporal_config(None, {"TEMPORAL_ADDRESS": address})


@pytest.mark.parametrize("address", ["127.0.0.1:7233", "[::1]:7233", "name.example:443"])
def test_an_address_of_temporal_is_taken_as_it_is_given(address: str) -> None:
    """Names, and addresses of both versions."""
    assert temporal_config(None, {"TEMPORAL_ADDRESS": address})["target_host"] == address


def test_a_profile_of_temporal_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """By name; what its file holds is not quoted, for keys lie there; no device is read."""
    with pytest.raises(InvalidInput, match=r"TEMPORAL_PROFILE: 'mine' is refused"):
        temporal_config(None, {"TEMPORAL_PROFILE": "mine"})
    broken = tmp_path / "profiles.toml"
    broken.write_text("api_key = hunter2hunter2", encoding="utf-8")
    with pytest.raises(InvalidInput, match="TEMPORAL_PROFILE") as refused:
        temporal_config(None, {"TEMPORAL_CONFIG_FILE": str(broken)})
    assert "hunter2" not in str(refused.value)
    for path in (Path("/dev/zero"), tmp_path):
        with pytest.raises(SourceRefused):
            temporal_config(None, {"TEMPORAL_CONFIG_FILE": str(path)})


def test_the_examination_knows_every_secret_that_is_needed() -> None:
    """Those of each rail that can be reached, and the carrier's where it is named."""
    login = RailLogin("b", "M", {"url": "http://rail.example"}, {"api_secret": "x"})
    rails = {"a": RailEntry("a", "simbank"), "b": RailEntry("b", "simbank", login)}
    assert needed_secrets(settings(), rails) == {"rails.b.api_secret": "x"}
    given = settings(sms_url=SMS_URL, sms_secret="own")
    assert needed_secrets(given, {}) == {"ACQUIT_SMS_SECRET": "own"}
