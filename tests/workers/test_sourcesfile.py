"""The file of statement sources: what it may say, what is refused, and what becomes of it."""

import textwrap
from contextlib import AsyncExitStack
from datetime import date, time
from pathlib import Path

import pytest

from adapters.rails.http import unwatched
from adapters.refusals import SourceRefused
from adapters.sources.folder import Folder, FolderStatements
from adapters.sources.sftp import Server, SftpStatements
from adapters.sources.simbank import SimbankStatements
from adapters.telemetry.redaction import Redactor
from domain.errors import InvariantBroken
from domain.ledger.bankaccount import BankAccount, Purpose
from tests.support.railsfile import rails_file
from tests.support.sshd import made_key
from workers.clock import WallClock
from workers.doctor.findings import CheckResult, Examiner
from workers.doctor.sources import check_sources
from workers.rails import read_rails
from workers.settings import Settings, secrets_in
from workers.sources import open_source, open_sources, watched_accounts
from workers.sourcesfile import read_sources, sources_of

ACCOUNTS = {
    name: BankAccount(name, "us", Purpose.COLLECTION, "CNY", frozenset({"simbank"}))
    for name in ("A-1", "A-2", "A-3", "A-4")
}


def file_of(folder: Path, text: str) -> Path:
    """The sources in a file of this text."""
    path = folder / "sources.toml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def whole(folder: Path) -> Path:
    """A file with a source of each kind."""
    host = made_key(folder / "host")
    made_key(folder / "own")
    (folder / "in").mkdir()
    return file_of(
        folder,
        f"""
        [sources.by-folder]
        kind = "folder"
        account = "A-1"
        path = "in"
        done = "/srv/done"
        settle_s = 5
        [sources.by-folder.expected]
        calendar = "CN"
        by = 09:30:00
        timezone = "Asia/Shanghai"
        since = 2026-01-05
        after_days = 2
        weekdays = ["mon", "fri"]
        [sources.by-server]
        kind = "sftp"
        account = "A-2"
        host = "127.0.0.1"
        port = 1
        user = "acquit"
        folder = "/out"
        host_keys = ["{host}"]
        key_file = "own"
        renamed_in = true
        [sources.by-hand]
        kind = "upload"
        account = "A-3"
        [sources.by-rail]
        kind = "rail"
        account = "A-4"
        """,
    )


def test_a_file_configures_a_source_of_each_kind(tmp_path: Path) -> None:
    """Paths count from the file's folder; what a table does not say has a usual value."""
    found = read_sources(whole(tmp_path), ACCOUNTS)
    assert {account: entry.kind for account, entry in found.items()} == {
        "A-1": "folder",
        "A-2": "sftp",
        "A-3": "upload",
        "A-4": "rail",
    }
    refused = tmp_path / "in.refused"
    assert found["A-1"].at == Folder(tmp_path / "in", Path("/srv/done"), refused, 5.0)
    expected = found["A-1"].expected
    assert expected is not None
    assert (expected.by, expected.since, expected.after_days) == (time(9, 30), date(2026, 1, 5), 2)
    assert (expected.weekdays, expected.calendar.name) == (frozenset({0, 4}), "CN")
    server = found["A-2"].at
    assert isinstance(server, Server)
    assert (server.host, server.port, server.settle_s, server.done) == ("127.0.0.1", 1, 0.0, None)
    assert watched_accounts(found) == ("A-1", "A-2")
    assert sources_of(None, ACCOUNTS) == {}


async def test_sources_are_opened_as_the_file_says(tmp_path: Path) -> None:
    """A folder and a server instead of the rail's bank; the bank where the file says so."""
    entries = read_sources(whole(tmp_path), ACCOUNTS)
    registry = read_rails(rails_file(tmp_path, "http://127.0.0.1:1"))
    async with AsyncExitStack() as closing:
        opened = await open_sources(
            registry, ACCOUNTS, WallClock(), closing, lambda _entry: unwatched, entries
        )
        kinds = {account: type(source) for account, source in opened.items()}
        assert kinds == {
            "A-1": FolderStatements,
            "A-2": SftpStatements,
            "A-4": SimbankStatements,
        }
        with pytest.raises(InvariantBroken):
            await open_source(entries["A-3"], closing)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('account = "A-1"', 'account = "NOBODY"'), "sources.by-folder.account"),
        (('account = "A-3"', 'account = "A-1"'), "sources.by-hand.account"),
        (('kind = "upload"', 'kind = "pigeon"'), "sources.by-hand"),
        (('path = "in"', 'path = ""'), "sources.by-folder.folder.path"),
        (("settle_s = 5", "settle_s = 0"), "sources.by-folder.folder.settle_s"),
        (('calendar = "CN"', 'calendar = "XX"'), "sources.by-folder.expected.calendar"),
        (("Asia/Shanghai", "Asia/Nowhere"), "sources.by-folder.expected.timezone"),
        (("after_days = 2", "after_days = 11"), "sources.by-folder.folder.expected.after_days"),
        (('"mon", ', '"someday", '), "sources.by-folder.folder.expected.weekdays.0"),
        (("since = 2026-01-05", ""), "sources.by-folder.folder.expected.since"),
        (("port = 1", "port = 0"), "sources.by-server.sftp.port"),
        (('key_file = "own"', ""), "sources.by-server.key_file"),
        (('key_file = "own"', 'key_file = "none"'), "sources.by-server.key_file"),
        (('key_file = "own"', 'key_file = "sources.toml"'), "sources.by-server.key_file"),
        (("ssh-ed25519 ", "ssh-nothing "), "sources.by-server.host_keys[1]"),
        (('user = "acquit"', 'user = "acquit"\ncolour = "red"'), "sources.by-server.sftp.colour"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_its_field(
    tmp_path: Path, change: tuple[str, str], field: str
) -> None:
    """Nothing is guessed, and nothing is started with a faulty source."""
    path = whole(tmp_path)
    text = path.read_text()
    assert change[0] in text
    path.write_text(text.replace(*change, 1))
    with pytest.raises(SourceRefused) as refused:
        read_sources(path, ACCOUNTS)
    assert [fault.field for fault in refused.value.faults] == [field]


def test_secrets_of_servers_are_known_for_masking(tmp_path: Path) -> None:
    """The private key is masked wherever it turns up, and so it is if the file is faulty."""
    path = whole(tmp_path)
    secret = (tmp_path / "own").read_text()
    given = Settings(sources=path)
    assert secret in secrets_in(given, None)
    path.write_text(path.read_text().replace('account = "A-1"', 'account = "NOBODY"'))
    assert secret in secrets_in(given, None)
    path.write_text("[[")
    assert secret not in secrets_in(given, None)


async def test_the_doctor_names_what_is_wrong_with_a_source(tmp_path: Path) -> None:
    """A missing folder, one without rights, a server that does not answer; a good one is ok."""
    path = whole(tmp_path)
    path.write_text(path.read_text().replace('done = "/srv/done"', 'done = "done"'))
    examiner = Examiner(5, Redactor(()))
    given = Settings(sources=path)

    async def found() -> dict[str, tuple[str, str]]:
        checks = await check_sources(given, ACCOUNTS, WallClock(), examiner)
        return {it.check: (it.result, it.detail) for it in checks}

    (tmp_path / "in" / "day.xml").write_bytes(b"x")
    first = await found()
    assert first["source by-folder"] == (CheckResult.OK, "1 files on offer for A-1")
    assert first["source by-server"] == (CheckResult.FAIL, "no connection")
    assert set(first) == {"source by-folder", "source by-server"}
    (tmp_path / "done").write_bytes(b"no folder")
    result, detail = (await found())["source by-folder"]
    assert (result, str(tmp_path / "done") in detail) == (CheckResult.FAIL, True)
    (tmp_path / "in" / "day.xml").unlink()
    (tmp_path / "in").rmdir()
    result, detail = (await found())["source by-folder"]
    assert (result, str(tmp_path / "in") in detail) == (CheckResult.FAIL, True)
    path.write_text("[sources]")
    assert (await found())["sources"][0] == CheckResult.FAIL


async def test_the_doctor_warns_of_a_disk_that_is_nearly_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is cut off is never whole: somebody has to make room."""
    path = whole(tmp_path)
    monkeypatch.setattr("workers.doctor.sources.FILE_BYTES_MOST", 1 << 62)
    checks = await check_sources(
        Settings(sources=path), ACCOUNTS, WallClock(), Examiner(5, Redactor(()))
    )
    assert CheckResult.WARN in {it.result for it in checks if it.check == "source by-folder"}


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        ('path = "in"', 'path = "./x/../in"', "sources.two.folder"),
        ('path = "in"\ndone = "in/."', 'path = "other"', "sources.one.done"),
        ('path = "in"', 'path = "other"\naside = "in"', "sources.two.aside"),
    ],
)
def test_no_folder_is_watched_for_two_accounts_or_gets_its_own_files_back(
    tmp_path: Path, first: str, second: str, field: str
) -> None:
    """Files in it would be of either account, or be taken again and again: refused at load."""
    file = file_of(
        tmp_path,
        f"""
[sources.one]
kind = "folder"
account = "A-1"
{first}
[sources.two]
kind = "folder"
account = "A-2"
{second}
""",
    )
    with pytest.raises(SourceRefused) as refused:
        read_sources(file, ACCOUNTS)
    assert field in str(refused.value)
    assert len(refused.value.faults) == 1


def test_one_folder_of_a_server_is_of_one_account(tmp_path: Path) -> None:
    """The same host, port, user and folder; another user's folder is another one."""
    host = made_key(tmp_path / "host")
    (tmp_path / "word").write_text("secret")
    tables = [
        f"""
[sources.{name}]
kind = "sftp"
account = "{account}"
host = "{server}"
user = "{user}"
folder = "{folder}"
host_keys = ["{host}"]
password_file = "word"
"""
        for name, account, server, user, folder in (
            ("one", "A-1", "bank.example", "us", "/out"),
            ("two", "A-2", "BANK.example", "us", "/out/"),
            ("three", "A-3", "bank.example", "them", "/out"),
        )
    ]
    with pytest.raises(SourceRefused) as refused:
        read_sources(file_of(tmp_path, "".join(tables)), ACCOUNTS)
    assert [fault.field for fault in refused.value.faults] == ["sources.two.folder"]
