"""The registry of rails: from a file or from the stack, each fault by field, value and rule."""

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from adapters.rails.kind import RailLogin
from adapters.rails.kinds import KINDS
from adapters.refusals import SourceRefused
from cli.tree import run
from domain.errors import InvalidInput
from ports.rail import Rail
from workers.clock import WallClock
from workers.compose import open_rails, rulebook
from workers.rails import RAILS_MOST, RailEntry, merchants_of, rails_of, read_rails
from workers.reporting import Exit
from workers.runner import roles_of
from workers.settings import Settings, secrets_in
from workers.stackfile import RailRecord, StackRecord, read_stack, write_stack

GOOD = {
    "kind": "simbank",
    "url": "http://rail.example:8600/rails/{name}",
    "bank_url": "https://bank.example",
    "merchant_id": "M-{name}",
    "api_secret_file": "{name}-api",
    "webhook_secret_file": "{name}-hook",
}
STACK = StackRecord(
    mode="sandbox",
    database_url="sqlite+aiosqlite:///b",
    temporal_address="127.0.0.1:7000",
    simulator_url="http://stack.example",
    rails={
        name: RailRecord("simbank", "M", {"url": f"http://stack.example/{name}", "bank_url": "x"})
        for name in ("b", "a")
    },
    secrets={
        f"rails.{name}.{secret}": f"stack {name} {secret}"
        for name in ("a", "b")
        for secret in ("api_secret", "webhook_secret")
    },
)


def table(name: str, **changes: object) -> str:
    """A table of a rail as it should be, with these changes; None leaves a field out."""
    fields = {key: value.format(name=name) for key, value in GOOD.items()} | changes
    lines = [f"[rails.{name}]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in fields.items() if value is not None]
    return "\n".join(lines) + "\n"


def written(folder: Path, *tables: str, names: Sequence[str] = ("a", "b")) -> Path:
    """The file of rails, with the secrets of these names beside it."""
    for name in names:
        (folder / f"{name}-api").write_text(f"api secret of {name}\n", encoding="utf-8")
        (folder / f"{name}-hook").write_text(f"hook secret of {name}", encoding="utf-8")
    path = folder / "rails.toml"
    path.write_text("".join(tables), encoding="utf-8")
    return path


def faults(path: Path) -> list[tuple[str, object]]:
    """What is wrong with a file: fields and values."""
    with pytest.raises(SourceRefused) as caught:
        read_rails(path)
    assert all(fault.rule for fault in caught.value.faults)
    return [(fault.field, fault.value) for fault in caught.value.faults]


def test_each_table_is_a_rail_with_its_own_addresses_and_secrets(tmp_path: Path) -> None:
    """Two rails of one kind: names, queues, merchants and profiles of their own; in no repr."""
    path = written(tmp_path, table("b"), table("a"))
    found = rails_of(Settings(rails=path), STACK)
    assert list(found) == ["a", "b"]
    for name, entry in found.items():
        assert entry.login is not None
        assert entry.url == f"http://rail.example:8600/rails/{name}"
        assert entry.login.secrets == {
            "api_secret": f"api secret of {name}",
            "webhook_secret": f"hook secret of {name}",
        }
        assert entry.profile == replace(KINDS["simbank"].profile, name=name)
    assert merchants_of(found) == {"a": "M-a", "b": "M-b"}
    assert "secret of" not in repr(found)
    rules = rulebook(found, {})
    assert set(rules.rails) == set(rules.returns) == {"a", "b"}
    queues = [role.queue for role, _ in roles_of("all", tuple(found))]
    assert queues[-2:] == ["debit.a", "debit.b"]


async def test_another_kind_is_one_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own addresses and secrets are asked for, and it is opened with them beside the others."""
    opened: list[RailLogin] = []

    @asynccontextmanager
    async def opening(login: RailLogin, _clock: object, _watch: object) -> AsyncIterator[Rail]:
        opened.append(login)
        yield cast("Rail", login)

    simbank = KINDS["simbank"]
    pigeon = replace(simbank, addresses=("loft",), secrets=("ring",), open=opening)
    monkeypatch.setattr("workers.rails.KINDS", {**KINDS, "pigeon": pigeon})
    fields = {"kind": "pigeon", "merchant_id": "M", "loft": "http://loft", "ring_file": "a-api"}
    own = "[rails.c]\n" + "".join(f"{key} = {json.dumps(it)}\n" for key, it in fields.items())
    found = read_rails(written(tmp_path, table("a"), own))
    assert found["c"].url == "http://loft"
    async with AsyncExitStack() as closing:
        assert set(await open_rails(found, WallClock(), closing)) == {"a", "c"}
    assert opened == [found["c"].login]
    assert opened[0].secrets == {"ring": "api secret of a"}
    assert faults(written(tmp_path, own.replace("loft", "url"))) == [
        ("rails.c.loft", ""),
        ("rails.c.url", "(not shown)"),
    ]


def test_secrets_of_rails_are_masked(tmp_path: Path) -> None:
    """Whatever is logged: they are known by value, as the secrets of settings are."""
    known = secrets_in(Settings(rails=written(tmp_path, table("a"), table("b"))), None)
    for name in ("a", "b"):
        assert {f"api secret of {name}", f"hook secret of {name}"} <= set(known)
    (tmp_path / "a-api").unlink()
    assert secrets_in(Settings(rails=tmp_path / "rails.toml"), None) == ()


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"kind": "sepa"}, ".kind", "sepa"),
        ({"kind": None}, ".kind", ""),
        ({"kind": 7}, ".kind", "7"),
        ({"url": None}, ".url", ""),
        ({"url": "rail.example"}, ".url", "rail.example"),
        ({"url": "http://"}, ".url", "http://"),
        ({"url": "http://rail.example:x"}, ".url", "http://rail.example:x"),
        ({"url": "http://u:hunter2@rail.example"}, ".url", "(not shown)"),
        ({"url": "http://rail.example/?a=1"}, ".url", "http://rail.example/?a=1"),
        ({"bank_url": None}, ".bank_url", ""),
        ({"merchant_id": None}, ".merchant_id", ""),
        ({"merchant_id": "no spaces"}, ".merchant_id", "no spaces"),
        ({"api_secret_file": None}, ".api_secret_file", ""),
        ({"api_secret_file": "nowhere"}, ".api_secret_file", "nowhere"),
        ({"api_secret_file": "."}, ".api_secret_file", "."),
        ({"api_secret_file": "a\0b"}, ".api_secret_file", "a\0b"),
        ({"url": "http://rail.example/\x1b[2J"}, ".url", "http://rail.example/\x1b[2J"),
        ({"webhook_secret_file": "empty"}, ".webhook_secret_file", "empty"),
        ({"api_secret": "hunter2"}, ".api_secret", "(not shown)"),
    ],
)
def test_a_faulty_field_is_refused_by_name_value_and_rule(
    tmp_path: Path, changes: dict[str, object], field: str, value: str
) -> None:
    """A secret that stands in the file itself, or in an address, is not quoted."""
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    assert faults(written(tmp_path, table("a", **changes))) == [(f"rails.a{field}", value)]


@pytest.mark.parametrize("name", ["Bank", "1a", "a_b", "transfer", "x" * 33, "'a b'", "'a.b'"])
def test_a_name_that_a_queue_or_an_account_cannot_have_is_refused(
    tmp_path: Path, name: str
) -> None:
    """Queues, addresses of webhooks and clearing accounts are called after the rail."""
    plain = name.strip("'")
    assert faults(written(tmp_path, table(name), names=[])) == [(f"rails.{plain}", plain)]


def test_a_rail_that_stands_twice_is_named(tmp_path: Path) -> None:
    """The parser's own words name a line; ours name the rail, however often it stands there."""
    assert faults(written(tmp_path, table("a"), table("b"), table("a"))) == [("rails.a", "a")]
    many = "".join(f"[rails.x{n % 7000}]\n" for n in range(14_001))
    assert len(faults(written(tmp_path, many))) == RAILS_MOST


def test_a_name_from_the_file_cannot_forge_what_a_terminal_shows(tmp_path: Path) -> None:
    """Names of tables and fields are told in full sight and at most so long."""
    for text in ('[rails."a\\u001b[2J"]', f'[rails.a]\n"{"k" * 9000}" = 1', '"a\\nb" = 1'):
        with pytest.raises(SourceRefused) as caught:
            read_rails(written(tmp_path, text))
        lines = str(caught.value).splitlines()
        assert len(lines) == len(caught.value.faults)
        assert all(line.isprintable() and len(line) < 500 for line in lines)


def test_one_rail_under_two_names_is_refused(tmp_path: Path) -> None:
    """Same address and merchant: orders would go out under both, webhooks come in under one."""
    url, merchant = "http://rail.example", "M"
    twins = [table(name, url=url, merchant_id=merchant) for name in ("a", "b")]
    assert faults(written(tmp_path, *twins)) == [("rails.b.url", url)]
    other = table("b", url=url, merchant_id="N")
    assert set(read_rails(written(tmp_path, twins[0], other))) == {"a", "b"}


def test_all_faults_of_a_file_are_told_together(tmp_path: Path) -> None:
    """Of every table, and what is no table of a rail."""
    path = written(tmp_path, "color = 'red'\n", table("a", kind="x"), table("b", url="x"))
    assert [field for field, _ in faults(path)] == ["color", "rails.a.kind", "rails.b.url"]


@pytest.mark.parametrize("text", ["", "rails = 1", "[rails]", "rails.a = 3", "[rails"])
def test_a_file_without_a_rail_is_refused(tmp_path: Path, text: str) -> None:
    """An installation that names a file means to debit somewhere."""
    assert len(faults(written(tmp_path, text))) == 1


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, a pipe: by its name, without waiting for a writer."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.toml", tmp_path, tmp_path / "pipe"):
        with pytest.raises(SourceRefused):
            read_rails(path)


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_worker_with_a_faulty_registry_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    processes: str,
) -> None:
    """One line for each fault, exit code 2, no process started, nothing made in the home."""
    path = written(tmp_path, table("a", kind="x", url=None), table("b", api_secret_file="none"))
    monkeypatch.setenv("ACQUIT_RAILS", str(path))
    code = run(["--home", str(tmp_path / "home"), "worker", "debit.a", "--processes", processes])
    said = capsys.readouterr().err.splitlines()
    assert code == Exit.MISTAKE
    assert len(said) == 2
    assert "rails.a.kind: 'x' is refused: " in said[0]
    assert "rails.b.api_secret_file: 'none' is refused: " in said[1]
    assert not (tmp_path / "home").exists()


def test_a_worker_of_a_rail_that_is_not_configured_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The roles that there are follow from the registry."""
    monkeypatch.setenv("ACQUIT_RAILS", str(written(tmp_path, table("a"), table("b"))))
    code = run(["--home", str(tmp_path / "home"), "worker", "debit.c"])
    assert code == Exit.MISTAKE
    assert "debit.a, debit.b" in capsys.readouterr().err


def test_the_stack_gives_its_rails_where_no_file_is_named(tmp_path: Path) -> None:
    """As written and read again; a copied home knows the rails and reaches none of them."""
    home = tmp_path / "home"
    write_stack(home, replace(STACK, home=str(home)))
    found = rails_of(Settings(), read_stack(home))
    assert {name: entry.url for name, entry in found.items()} == {
        name: f"http://stack.example/{name}" for name in ("a", "b")
    }
    write_stack(tmp_path / "copy", replace(STACK, home=str(home)))
    copied = rails_of(Settings(), read_stack(tmp_path / "copy"))
    assert {name: entry.login for name, entry in copied.items()} == {"a": None, "b": None}


def test_what_the_record_of_a_stack_lacks_is_refused_by_name() -> None:
    """The record of another build: it says what to do."""
    less = {name: value for name, value in STACK.secrets.items() if "a.api" not in name}
    with pytest.raises(InvalidInput, match=r"rails\.a\.api_secret.*start the stack again"):
        rails_of(Settings(), replace(STACK, secrets=less))
    short = {"a": RailRecord("simbank", "M", {"url": "http://x"})}
    with pytest.raises(InvalidInput, match=r"rails/a/bank_url.*start the stack again"):
        rails_of(Settings(), replace(STACK, rails=short))
    other = {"a": RailRecord("sepa", "M", {"url": "http://x"})}
    with pytest.raises(InvalidInput, match=r"rails/a: 'sepa'.*start the stack again"):
        rails_of(Settings(), replace(STACK, rails=other))


def test_without_a_rail_the_usual_one_is_known_and_cannot_be_reached() -> None:
    """Loans can be read and reckoned on a machine that has none."""
    assert rails_of(Settings(), None) == {"simbank": RailEntry("simbank", "simbank")}
    assert merchants_of(rails_of(Settings(), None)) == {"simbank": "ACQUIT"}
