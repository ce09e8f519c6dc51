"""Control endpoints: settings, outlook, the truth log in both forms."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.simulator.conftest import Starter
from tests.simulator.driver import API, RAIL, Bank
from tests.support.tree import ROOMS

CONFIG = f"/rails/{RAIL}/control/config"


async def test_the_stream_of_the_truth_says_the_same(bank: Bank) -> None:
    """NDJSON for big runs: one row a line, each with its table, the same rows as the object."""
    await bank.to_hour(10)
    await bank.sign_up("md-s")
    await bank.debit("stream-1", "md-s")
    await bank.quiet()
    whole = await bank.truth()
    text = (await bank.http.get("/control/truth?stream=1")).text
    tables: dict[str, list[object]] = {name: [] for name in whole}
    for line in text.splitlines():
        row = json.loads(line)
        tables[row.pop("table")].append(row)
    assert tables == whole


async def test_settings_can_be_changed_while_it_runs(start: Starter) -> None:
    """A new API secret holds from the answer on; an unknown setting is refused."""
    bank = await start()
    changed = await bank.http.post(CONFIG, json={"api_secret": "another"})
    assert changed.json() == {"configured": ["api_secret"]}
    assert (await bank.call("GET", f"{API}/orders/x")).status_code == 401
    assert (await bank.call("GET", f"{API}/orders/x", secret="another")).status_code == 200
    assert (await bank.http.post(CONFIG, json={"color": "red"})).status_code == 400
    nobody = await bank.http.post("/rails/nobody/control/config", json={"api_secret": "x"})
    assert nobody.status_code == 404
    carrier = {"sms_secret": "another"}
    assert (await bank.http.post("/control/config", json=carrier)).is_success
    assert (await bank.http.post("/control/config", json={"api_secret": "x"})).status_code == 400


async def test_the_outlook_names_the_next_instant(start: Starter) -> None:
    """With one account and nothing pending, the next instant is the day end at 23:30."""
    bank = await start()
    empty = (await bank.http.get("/control/next")).json()
    assert (empty["next"], empty["due"]) == (None, 0)
    await bank.to_hour(10)
    await bank.sign_up("md-n")
    await bank.debit("next-1", "md-n")
    await bank.go_on(minutes=1)
    await bank.quiet()
    following = (await bank.http.get("/control/next")).json()["next"]
    assert following == f"{bank.today()}T15:30:00.000Z"
    await bank.go_to(datetime.fromisoformat(following) + timedelta(seconds=1))
    statements = (await bank.truth())["statements"]
    assert [row["date"] for row in statements] == [following[:10]]
    assert bank.now() > datetime.now(UTC)


def test_the_simulator_imports_none_of_the_other_rooms() -> None:
    """It knows wire formats only, so that its truth is not our own opinion."""
    foreign = {*ROOMS, "temporalio", "sqlalchemy", "pydantic"} - {"simulator"}
    folder = Path(__file__).parents[2] / "simulator"
    lines = [line for path in folder.rglob("*.py") for line in path.read_text().splitlines()]
    imports = [
        line.split()[1].split(".")[0] for line in lines if line.startswith(("import", "from"))
    ]
    assert not set(imports) & foreign
