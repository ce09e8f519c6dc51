"""Two rails of one kind that settle on one bank account: debited apart, proven together."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from adapters.products.files import read_products
from domain.debit.attempt import AttemptState
from sandbox.demoloans import made_loans
from sandbox.truthlogs import addresses_of
from tests.journeys.whole import Whole, whole
from tests.support.base import base_day
from tests.support.doors import BoardLoan
from workers.settings import Settings

FIRST, SECOND = "simbank", "simbank-2"
ROLES = ("workflows", "books", "api", f"debit.{FIRST}", f"debit.{SECOND}")
"""One worker for each kind of work, and for each rail."""
EACH = 5
PRODUCT = "cn-personal.toml"


def products_of(folder: Path) -> Path:
    """The demo's product, and the same again over the second rail."""
    folder.mkdir()
    text = (Settings().products / PRODUCT).read_text(encoding="utf-8")
    (folder / PRODUCT).write_text(text, encoding="utf-8")
    other = text.replace('id = "cn-personal"', 'id = "cn-second"')
    other = other.replace(f'rail = "{FIRST}"', f'rail = "{SECOND}"')
    (folder / "cn-second.toml").write_text(other, encoding="utf-8")
    return folder


def loans_of(folder: Path) -> list[BoardLoan]:
    """As many loans over each rail, of two months; their mandates are signed at it."""
    products = read_products(folder)
    second = {"cn-personal": products["cn-second"]}
    made = made_loans(EACH, 2, 7, base_day(), products)
    return [*made, *made_loans(EACH, 2, 8, base_day(), second)]


async def log_of(url: str) -> dict[str, Any]:
    """One truth log as it is given."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        return dict((await client.get(f"{url}/control/truth")).raise_for_status().json())


async def test_loans_over_two_rails_end_clean_on_one_account(tmp_path: Path) -> None:
    """Each order is in the log of its own rail only; one bank account shows the money of both.

    The bank misbehaves as usual, and the audit over all logs finds nothing.
    """
    folder = products_of(tmp_path / "products")
    loans = loans_of(folder)
    async with whole(
        tmp_path / "home", profile="rough", rails=(FIRST, SECOND), products=folder, roles=ROLES
    ) as running:
        await running.board(loans)
        report = await running.to_the_end()
        assert report.clean, report.findings
        rails = addresses_of(running.stack.registry)
        logs = {name: await log_of(url) for name, url in rails.items()}
        bank = await log_of(f"{running.url}/bank")
        intended = await intended_by(running, loans)
    sent = {name: {row["order_no"] for row in log["orders"]} for name, log in logs.items()}
    assert sent == intended
    assert all(len(numbers) >= 2 * EACH for numbers in sent.values())
    assert {row["account"] for row in bank["movements"]} == {loans[0].product.account}
    shown: dict[str, set[str]] = {}
    for row in bank["movements"]:
        if row["kind"] == "debit":
            shown.setdefault(row["statement_id"], set()).add(row["rail"])
    assert {FIRST, SECOND} in shown.values(), "no statement shows money of both rails"
    assert {row["webhook_id"] for row in logs[FIRST]["webhooks"]}.isdisjoint(
        row["webhook_id"] for row in logs[SECOND]["webhooks"]
    )
    for log in logs.values():
        states = Counter(row["state"] for row in log["webhooks"] if row["flavour"] == "real")
        assert states["delivered"] >= 2 * EACH
        assert states["undelivered"] == 0


async def intended_by(running: Whole, loans: list[BoardLoan]) -> dict[str, set[str]]:
    """The orders that the books sent out, by the rail of their attempt."""
    found: dict[str, set[str]] = {FIRST: set(), SECOND: set()}
    for boarded in loans:
        loan = await running.stack.queries.loan(boarded.loan_id)
        assert loan is not None
        for _, attempt in loan.attempts():
            assert attempt.rail == boarded.product.rail == boarded.mandate.rail
            if attempt.state is not AttemptState.NOT_EXECUTED:
                found[attempt.rail].add(attempt.order_no)
    return found
