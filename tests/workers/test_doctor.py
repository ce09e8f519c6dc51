"""`acquit doctor` on a stack that is well, on none, and on each fault of the configuration."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.calendars import load_calendar
from adapters.products.files import read_products
from adapters.sql.schema.migrate import upgrade
from adapters.telemetry.redaction import Redactor
from adapters.temporal.codec import new_key
from ports.archive import FILE_BYTES_MOST
from sandbox.local import LocalOptions, LocalStack
from tests.support.asked import ROOT
from tests.support.railsfile import rails_file, recorded
from workers.clock import CLOCK_FILE, SandboxClock
from workers.doctor import scratch
from workers.doctor.configuration import (
    check_calendars,
    check_products,
    check_secrets,
    check_settings,
)
from workers.doctor.examination import examine
from workers.doctor.findings import CheckResult, Examiner, Finding
from workers.processes import Child
from workers.rails import rails_of, read_rails
from workers.settings import Settings
from workers.stackfile import StackRecord, write_stack

SECRET = "canary-of-a-secret-of-the-rail"
CN = load_calendar("CN").confirmed_until


def settings(**more: object) -> Settings:
    return Settings.model_validate(more)


def results(found: object) -> dict[str, str]:
    assert isinstance(found, list | tuple)
    return {finding.check: finding.result for finding in found}


def of(found: object, result: CheckResult) -> list[Finding]:
    assert isinstance(found, list | tuple)
    return [finding for finding in found if finding.result is result]


async def doctor(home: Path, *options: str, **env: str) -> tuple[int, str]:
    """Run the program as an operator would; code and everything it said."""
    log = home.parent / "doctor.log"
    log.unlink(missing_ok=True)
    argv = [sys.executable, "-m", "cli", "--home", str(home), "doctor", *options]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    child = await Child.start(argv, log=log, env={**kept, **env}, cwd=ROOT)
    code = await child.wait(60)
    assert code is not None
    return code, log.read_text()


@pytest.fixture(scope="module")
async def sandbox(
    temporal_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LocalStack]:
    """A local stack whose worker has come up, whichever test asks for it first."""
    given = settings(home=tmp_path_factory.mktemp("doctor") / "home")
    async with LocalStack(given, LocalOptions(), lambda _part: None) as local:
        async with asyncio.timeout(60):
            while of(await examine(given, 20), CheckResult.FAIL):
                await asyncio.sleep(0.5)
        yield local


async def test_stack_that_is_well_passes(sandbox: LocalStack) -> None:
    """Every check was asked and none failed; no secret is in what was said."""
    code, said = await doctor(sandbox.home, "--json", "--within", "20")
    reported = json.loads(said)
    assert (code, reported["healthy"]) == (0, True)
    found = {check["check"]: check["result"] for check in reported["checks"]}
    assert {"fail", "skip"} & set(found.values()) == set()
    assert {
        "database",
        "migrations",
        "namespace",
        "search attributes",
        "queue workflows (workflow)",
        "queue debit.simbank (activity)",
        "rail simbank",
        "clock rail simbank",
        "scratch space",
    } <= set(found)
    assert sandbox.record is not None
    assert [1 for secret in sandbox.record.secrets.values() if secret in said] == []


@pytest.mark.parametrize("free", [FILE_BYTES_MOST, FILE_BYTES_MOST - 1])
async def test_a_disk_without_room_for_the_largest_file_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, free: int
) -> None:
    """It names the folder and the variable by which it is changed; files of a sandbox are small."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    [found] = await scratch.check_scratch(sandbox=False)
    enough = free == FILE_BYTES_MOST
    assert found.result is (CheckResult.OK if enough else CheckResult.WARN)
    assert tempfile.gettempdir() in found.detail
    assert ("TMPDIR" in found.advice) is not enough
    [small] = await scratch.check_scratch(sandbox=True)
    assert small.result is CheckResult.OK


async def test_rail_that_refuses_our_signature_is_distinguished(
    sandbox: LocalStack, tmp_path: Path
) -> None:
    """Different people correct a wrong secret and a wrong address; the secret is not shown."""
    assert sandbox.record is not None
    path = rails_file(tmp_path, sandbox.record.simulator_url or "", secret=SECRET)
    given = settings(home=sandbox.home, rails=path)
    [found] = of(await examine(given, 20), CheckResult.FAIL)
    assert found.check == "rail simbank"
    assert "http_401" in found.detail
    assert f"[rails.simbank] of {path}" in found.advice
    assert SECRET not in str(found)


async def test_without_a_stack_it_says_what_to_start(tmp_path: Path) -> None:
    """A first look on a fresh machine: no traceback, advice for each failure, nothing created."""
    home = tmp_path / "home"
    code, said = await doctor(home, "--json", TEMPORAL_ADDRESS="127.0.0.1:9")
    found = json.loads(said)["checks"]
    failed = {check["check"]: check for check in found if check["result"] == "fail"}
    assert code == 1
    assert {"database", "temporal", "rail simbank"} <= set(failed)
    assert "ConnectionRefused" in failed["temporal"]["detail"]
    assert "acquit up" in failed["temporal"]["advice"]
    assert all(check["advice"] for check in failed.values())
    assert "Traceback" not in said
    assert not home.exists()
    code, said = await doctor(home, TEMPORAL_ADDRESS="127.0.0.1:9")
    assert code == 1
    assert "FAIL  database" in said
    assert "-> run `acquit up` for a sandbox" in said


async def test_stack_that_was_stopped_is_distinguished_from_none(tmp_path: Path) -> None:
    """Its books are there and well; its servers are not, and it says how they come back."""
    given = settings(home=tmp_path)
    await upgrade(given.books_url())
    names = ("rails.simbank.api_secret", "rails.simbank.webhook_secret")
    record = StackRecord(
        mode="sandbox",
        database_url=given.books_url(),
        temporal_address="127.0.0.1:9",
        simulator_url="http://127.0.0.1:9",
        rails=recorded("http://127.0.0.1:9", "simbank"),
        secrets=dict.fromkeys(names, SECRET),
    )
    write_stack(tmp_path, record)
    SandboxClock.begin(tmp_path).close()
    found = results(await examine(given, 20))
    assert (found["secrets"], found["database"], found["migrations"]) == ("ok", "ok", "ok")
    assert (found["temporal"], found["rail simbank"]) == ("fail", "fail")
    assert found["task queues"] == "skip"
    assert found["clock sandbox"] == "ok"
    (tmp_path / CLOCK_FILE).unlink()
    found = results(await examine(given, 20))
    assert (found["clock sandbox"], found["database"]) == ("fail", "ok")


async def test_faulty_settings_are_findings(tmp_path: Path) -> None:
    """All at once and by name, like any other finding; the values of secrets are not reported."""
    code, said = await doctor(
        tmp_path,
        "--json",
        ACQUIT_DRAIN_TIMEOUT_S="-1",
        ACQUIT_HEALTH_PORT="none",
        ACQUIT_SMTP_PASSWORD=SECRET,
    )
    reported = json.loads(said)
    assert (code, reported["healthy"]) == (1, False)
    details = " ".join(check["detail"] for check in reported["checks"])
    assert "ACQUIT_DRAIN_TIMEOUT_S" in details
    assert "ACQUIT_HEALTH_PORT" in details
    assert SECRET not in said


async def test_settings_that_do_not_fit_one_another_are_reported() -> None:
    """Each alone is right; together they do not work, or do not do what somebody may think."""
    given = settings(codec_tokens=f"ann:{SECRET}")
    found = await check_settings(given, None)
    assert [it.detail.split()[0] for it in of(found, CheckResult.FAIL)] == ["ACQUIT_CODEC_TOKENS"]
    whole = settings(
        database_url="sqlite+aiosqlite:///b",
        smtp_host="mail",
        sms_url="https://sms.example",
        sms_secret=SECRET,
    )
    assert results(await check_settings(whole, None)) == {"settings": "ok"}


@pytest.mark.parametrize(
    ("given", "result", "word"),
    [
        (
            {"sms_url": "http://sms.example", "sms_secret": "short"},
            CheckResult.WARN,
            "ACQUIT_SMS_SECRET is shorter",
        ),
        ({}, CheckResult.WARN, "written in clear"),
        ({"payload_keys": f"k1:{SECRET}"}, CheckResult.FAIL, "payload_keys"),
        ({"payload_keys": new_key("k1"), "codec_tokens": "a:b"}, CheckResult.FAIL, "codec_tokens"),
    ],
)
async def test_secrets_are_looked_at_and_never_reported(
    given: dict[str, str], result: CheckResult, word: str
) -> None:
    """Missing, short, absent keys, or text that is no keyring: named, and not quoted."""
    examiner = Examiner(5, Redactor())
    found = await examiner.run(
        "secrets", "advice", lambda: check_secrets(settings(**given), None, {})
    )
    assert any(word in it.detail for it in of(found, result)), found
    assert SECRET not in str(found)


async def test_whole_secrets_pass(tmp_path: Path) -> None:
    """The secrets of each rail and a keyring; a short one is named by its rail."""
    given = settings(payload_keys=new_key("k1"))
    rails = read_rails(rails_file(tmp_path, "http://x", ["a", "b"], SECRET))
    [found] = await check_secrets(given, None, rails)
    assert found.result is CheckResult.OK
    assert "rails.a.api_secret, rails.a.webhook_secret, rails.b.api_secret" in found.detail
    assert SECRET not in str(found)
    short = read_rails(rails_file(tmp_path, "http://x", secret="short"))
    found = (await check_secrets(given, None, short))[0]
    assert (found.result, found.detail.split()[0]) == (CheckResult.WARN, "rails.simbank.api_secret")


async def test_product_files_are_read_and_their_names_looked_up(tmp_path: Path) -> None:
    """A faulty file, a rail and a calendar that nobody knows: each is named."""
    text = (ROOT / "examples" / "products" / "cn-personal.toml").read_text(encoding="utf-8")
    strange = text.replace('rail = "simbank"', 'rail = "pigeon"').replace('"CN"', '"MARS"')
    (tmp_path / "it.toml").write_text(strange, encoding="utf-8")
    given = settings(products=tmp_path)
    details = [
        it.detail for it in of(await check_products(given, rails_of(given, None)), CheckResult.FAIL)
    ]
    assert details == [
        "cn-personal@1: no rail 'pigeon'",
        "cn-personal@1: no calendar 'MARS'",
    ]
    (tmp_path / "it.toml").write_text("id = 3", encoding="utf-8")
    examiner = Examiner(5, Redactor())
    found = await examiner.run("products", "advice", lambda: check_products(given, {}))
    assert len(of(found, CheckResult.FAIL)) > 1


@pytest.mark.parametrize(
    ("ahead", "sandbox", "result"),
    [
        (90, False, CheckResult.OK),
        (20, False, CheckResult.WARN),
        (-1, False, CheckResult.FAIL),
        (-1, True, CheckResult.WARN),
    ],
)
async def test_calendars_are_confirmed_far_enough(
    ahead: int, sandbox: bool, result: CheckResult
) -> None:
    """Warns two months before due dates are moved by guesses, fails when they are.

    A sandbox a year ahead is never more than warned: nobody can enter a notice that is not out.
    """
    products: Any = read_products(settings().products)
    now = datetime(CN.year, CN.month, CN.day, 4, tzinfo=UTC) - timedelta(days=ahead)
    found = await check_calendars(products, now, sandbox=sandbox)
    assert results(found)["calendar CN"] is result


async def test_registry_that_is_faulty_is_reported_once(tmp_path: Path) -> None:
    """Every fault of the file, and nothing is concluded about products and queues from it."""
    path = rails_file(tmp_path, "ftp://x", ["simbank", "other"])
    found = await examine(settings(home=tmp_path / "home", rails=path), 5)
    said = [it.detail for it in of(found, CheckResult.FAIL) if it.check == "rails"]
    assert [line.split(":")[0] for line in said] == [
        f"rails.{name}.{field}" for name in ("other", "simbank") for field in ("url", "bank_url")
    ]
    checks = results(found)
    assert checks["products"] == "ok"
    assert not [check for check in checks if check.startswith("rail ")]


async def test_check_that_hangs_is_abandoned() -> None:
    """One silent part of the world does not keep the doctor from naming the others."""

    async def silent() -> list[Finding]:
        await asyncio.sleep(3600)
        return []

    [found] = await Examiner(0.05, Redactor()).run("temporal", "look there", silent)
    assert (found.result, found.detail) == (CheckResult.FAIL, "no answer within 0.05 s")
    assert found.advice == "look there"
