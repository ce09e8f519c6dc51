"""Reads the logs of simulated rails and of what is behind them, and keeps the last for later."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx

from domain.errors import Unavailable
from sandbox.homefiles import LOG_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workers.rails import RailEntry

READINGS = 5
"""How often what moves while it is read is read again."""
_TIMEOUT_S = 120.0
_OF_OTHERS = {"bank": ("movements", "statements"), "notices": ("notices",)}


def addresses_of(rails: Mapping[str, RailEntry]) -> dict[str, str]:
    """Where the simulated rails are, by name.

    Raises:
        Unavailable: there is none, or one that is not simulated, which gives no log to compare.
    """
    real = sorted(name for name, entry in rails.items() if not entry.of_kind.simulated)
    if real:
        raise Unavailable(f"{', '.join(real)}: no simulated rail, so there is no log of its own")
    found = {name: entry.url for name, entry in rails.items() if entry.url is not None}
    if not found:
        raise Unavailable("no simulated rail is known here: start one with `acquit up`")
    return found


async def fetch_logs(rails: Mapping[str, str]) -> Mapping[str, Any]:
    """The logs of all rails as one, with those of the banks and carriers that they name.

    Each rail tells its own orders; movements and statements are the bank's. Nothing happened at
    any rail between the first reading and the last.

    Args:
        rails: base addresses by name.

    Raises:
        Unavailable: one does not answer, or they kept moving.
    """
    async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as client:
        for _ in range(READINGS):
            logs = {name: await _log_of(client, name, url) for name, url in rails.items()}
            whole = await _whole(client, rails, logs)
            if logs == {name: await _log_of(client, name, url) for name, url in rails.items()}:
                return whole
    raise Unavailable("the rails are moving; audit them when nothing is due")


async def _log_of(client: httpx.AsyncClient, name: str, url: str) -> Mapping[str, Any]:
    return await _get(client, f"{url.rstrip('/')}/control/truth", f"rail {name}")


async def _whole(
    client: httpx.AsyncClient, rails: Mapping[str, str], logs: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """One document: the rails' orders under our names, and each other log once."""
    orders = [{**row, "rail": name} for name, log in logs.items() for row in log["orders"]]
    whole: dict[str, Any] = {"orders": orders}
    for who, tables in _OF_OTHERS.items():
        whole |= {table: [] for table in tables}
        places = {urljoin(rails[name], log["other_logs"][who]) for name, log in logs.items()}
        for place in sorted(places):
            other = await _get(client, place, who)
            for table in tables:
                whole[table] += other[table]
    return whole


async def _get(client: httpx.AsyncClient, url: str, who: str) -> Mapping[str, Any]:
    try:
        answer = (await client.get(url)).raise_for_status()
        document: Mapping[str, Any] = answer.json()
    except httpx.HTTPError as error:
        said = f"the simulated {who} at {url} gives no log: {type(error).__name__}"
        raise Unavailable(f"{said}; a stack that has ended is started with `acquit up`") from None
    return document


def keep_log(home: Path, rails: Mapping[str, str], at: datetime, log: Mapping[str, Any]) -> None:
    """Keep a log for audits after the rails have ended."""
    saved = {"rails": dict(rails), "saved_at": at.isoformat(), "log": log}
    (home / LOG_FILE).write_text(json.dumps(saved), encoding="utf-8")


def kept_log(
    home: Path | None, rails: Mapping[str, str]
) -> tuple[datetime, Mapping[str, Any]] | None:
    """The log that these very rails left; others' say nothing about these books."""
    if home is None or not (home / LOG_FILE).is_file():
        return None
    saved = json.loads((home / LOG_FILE).read_text(encoding="utf-8"))
    if saved.get("rails") != dict(rails):
        return None
    return datetime.fromisoformat(saved["saved_at"]), saved["log"]
