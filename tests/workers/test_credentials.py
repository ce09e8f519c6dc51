"""Secrets and the addresses that they belong to."""

import itertools
from pathlib import Path

import pytest

from adapters.rails.simbank.client import SimbankConfig
from adapters.refusals import SourceRefused
from cli.tree import run
from domain.errors import InvalidInput
from workers.credentials import mail_server, needed_secrets, rail_login, sms_login
from workers.reporting import Exit
from workers.settings import Settings, load_settings, temporal_config
from workers.stackfile import StackRecord

NAMES = ("rail_api_secret", "webhook_secret", "sms_secret")
STACK = StackRecord(
    mode="sandbox",
    database_url="sqlite+aiosqlite:///b",
    temporal_address="127.0.0.1:7000",
    simulator_url="http://stack.example",
    smtp="stack.example:2525",
    merchant_id="STACK",
    secrets={name: f"stack {name}" for name in NAMES},
)
OURS = {name: f"environment {name}" for name in NAMES}
ADDRESSES = {"simulator_url": "http://rail.example", "sms_url": "http://sms.example"}


def settings(**given: object) -> Settings:
    """Settings from these values alone."""
    return Settings.model_validate(given)


def test_a_secret_goes_only_to_the_address_of_its_own_source() -> None:
    """Whatever is set and whatever is missing: no secret stands in for another one."""
    seen = 0
    for picked in itertools.product((False, True), repeat=5):
        chosen = [name for name, on in zip((*ADDRESSES, *NAMES), picked, strict=True) if on]
        if "sms_url" in chosen and "sms_secret" not in chosen:
            continue  # refused when settings are read: see below
        given = settings(**{name: {**ADDRESSES, **OURS}[name] for name in chosen})
        for record in (None, STACK):
            sms = sms_login(given, record)
            allowed = {ADDRESSES["sms_url"]: OURS["sms_secret"]}
            allowed |= {"http://stack.example": STACK.secrets["sms_secret"]}
            if sms is not None:
                assert sms.secret == allowed[sms.url]
                seen += 1
            if "simulator_url" in chosen and not {*NAMES[:2]} <= {*chosen}:
                with pytest.raises(InvalidInput, match=r"RAIL_API_SECRET|WEBHOOK_SECRET"):
                    rail_login(given, record)
                continue
            rail = rail_login(given, record)
            if rail is not None:
                source = OURS if rail.url == ADDRESSES["simulator_url"] else STACK.secrets
                both = (source["rail_api_secret"], source["webhook_secret"])
                assert (rail.api_secret, rail.webhook_secret) == both
                assert rail.merchant_id == ("ACQUIT" if source is OURS else "STACK")
                seen += 1
    assert seen > 20


def test_a_carrier_of_text_messages_without_its_secret_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The program says which variable is missing and ends, before anything is sent anywhere."""
    monkeypatch.setenv("ACQUIT_SMS_URL", "http://sms.example")
    monkeypatch.setenv("ACQUIT_SIMULATOR_URL", "http://rail.example")
    monkeypatch.setenv("ACQUIT_RAIL_API_SECRET", "a-rail-secret-of-ours")
    monkeypatch.setenv("ACQUIT_WEBHOOK_SECRET", "a-webhook-secret-of-ours")
    code = run(["--home", str(tmp_path / "home"), "worker", "all"])
    said = capsys.readouterr()
    assert code == Exit.MISTAKE
    assert "sms_secret is given with sms_url" in said.err
    assert "a-rail-secret" not in said.out + said.err


@pytest.mark.parametrize("name", ["SMS_SECRET", "RAIL_API_SECRET", "WEBHOOK_SECRET"])
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
        secrets={"rail_api_secret": "r", "webhook_secret": "w"},
    )
    assert rail_login(settings(), bare) is not None
    with pytest.raises(InvalidInput, match="sms_secret"):
        sms_login(settings(**OURS), bare)


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


def test_the_examination_names_every_secret_that_is_needed() -> None:
    """What a start would refuse, `acquit doctor` says before."""
    assert needed_secrets(settings(), STACK)["rail_api_secret"] == "stack rail_api_secret"
    assert needed_secrets(settings(simulator_url="http://rail.example"), STACK) == {
        "rail_api_secret": None,
        "webhook_secret": None,
    }
    given = settings(sms_url="http://sms.example", sms_secret="own")
    assert needed_secrets(given, None)["sms_secret"] == "own"
