"""Boarding over HTTP, and keys by which a write is carried out once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from adapters.sql.access.idempotency import HELD
from api.idempotent import digest_of
from domain.access.person import Grant, Role
from ports.idempotency import Held
from tests.support.apistage import ApiStage

CORE = Grant(Role.SERVICE, "main")


def _loan(loan_id: str = "A-1", **changed: Any) -> dict[str, Any]:
    return {
        "loan_id": loan_id,
        "borrower": "tok-b1",
        "product": "cn-personal",
        "principal": {"amount_minor": 1_200_000, "currency": "CNY"},
        "annual_rate": "12",
        "periods": 6,
        "disbursed_on": "2026-03-02",
        "first_due_on": "2026-04-02",
        "mandate_ref": f"M-{loan_id}",
        "account_token": "tok-a1",
        **changed,
    }


async def _board(stage: ApiStage, body: dict[str, Any], key: str | None = "k1") -> Any:
    return await stage.call("POST", "/v1/loans", "core", key=key, json=body)


async def test_a_loan_is_boarded_once(stage: ApiStage) -> None:
    """The same request gets the same answer, byte for byte, and the loan can then be read."""
    await stage.key("core", CORE, program=True)
    first, second = [await _board(stage, _loan()) for _ in range(2)]
    assert first.status_code == 201, first.text
    assert (second.status_code, second.content) == (201, first.content)
    assert first.headers["Location"] == "/v1/loans/A-1"
    found = (await stage.call("GET", "/v1/loans/A-1", "core")).json()
    assert len(found["installments"]) == first.json()["installments"] == 6
    assert found["principal"] == {"amount_minor": 1_200_000, "currency": "CNY"}
    schedule = (await stage.call("GET", "/v1/loans/A-1/schedule", "core")).json()
    principal = sum(
        part["amount"]["amount_minor"]
        for line in schedule["installments"]
        for part in line["scheduled"]
        if part["component"] == "principal"
    )
    assert principal == 1_200_000


async def test_a_key_stands_for_one_request_of_one_caller(stage: ApiStage) -> None:
    """Without one 400; with another body 422; another caller has its own."""
    await stage.key("core", CORE, program=True)
    await stage.key("other", CORE, program=True)
    missing = await _board(stage, _loan(), None)
    assert (missing.status_code, missing.json()["code"]) == (400, "idempotency.missing")
    assert (await _board(stage, _loan())).status_code == 201
    other = await _board(stage, _loan("A-2"))
    assert (other.status_code, other.json()["code"]) == (422, "idempotency.other_body")
    theirs = await stage.call("POST", "/v1/loans", "other", key="k1", json=_loan("A-3"))
    assert theirs.status_code == 201, theirs.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"principal": {"amount_minor": -1, "currency": "CNY"}}, "principal.amount_minor"),
        ({"principal": {"amount_minor": 1, "currency": "ZZZ"}}, "currency"),
        ({"product": "none"}, "product"),
        ({"annual_rate": "a lot"}, "annual_rate"),
        ({"borrower": ""}, "borrower"),
        ({"surprise": 1}, "surprise"),
        ({"mandate_cap": {"amount_minor": 5, "currency": "EUR"}}, "mandate_cap.currency"),
    ],
)
async def test_a_wrong_loan_names_its_field_and_no_value(
    stage: ApiStage, changed: dict[str, Any], field: str
) -> None:
    """Nothing personal is repeated, and the key is free for the corrected loan."""
    await stage.key("core", CORE, program=True)
    answer = await _board(stage, _loan(**changed))
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"] == field
    assert "tok-" not in answer.text
    assert (await _board(stage, _loan())).status_code == 201


async def test_a_loan_of_another_content_is_a_conflict(stage: ApiStage) -> None:
    """The id stands for what was boarded first."""
    await stage.key("core", CORE, program=True)
    assert (await _board(stage, _loan())).status_code == 201
    answer = await _board(stage, _loan(borrower="tok-b2"), "k2")
    assert (answer.status_code, answer.json()["code"]) == (409, "resource.conflict")


async def test_a_request_at_work_holds_its_key_until_its_holder_is_dead(stage: ApiStage) -> None:
    """409 with Retry-After meanwhile; after a minute the next one takes the key over."""
    await stage.key("core", CORE, program=True)
    keys, body = stage.doors.once._keys, _loan()
    model = {**body, "installment": None, "mandate_cap": None, "mandate_valid_to": None}
    digest = digest_of("POST /v1/loans", {**model, "past": "refuse", "schedule": []})
    held = await keys.hold("core", "k1", digest, stage.wall.now())
    assert isinstance(held, Held)
    busy = await _board(stage, body)
    assert (busy.status_code, busy.json()["code"]) == (409, "idempotency.at_work"), busy.text
    assert int(busy.headers["Retry-After"]) == HELD.total_seconds()
    stage.wall.ahead(HELD + timedelta(seconds=1))
    assert (await _board(stage, body)).status_code == 201
    again = await keys.hold("core", "k1", digest, stage.wall.now())
    assert again == Held(again.holder, again=True)  # type: ignore[union-attr]


async def test_ten_at_once_board_one_loan(stage: ApiStage) -> None:
    """Whoever holds the key boards; the others are told to wait, or get the answer."""
    await stage.key("core", CORE, program=True)
    answers = await asyncio.gather(*(_board(stage, _loan()) for _ in range(10)))
    assert {one.status_code for one in answers} <= {201, 409}
    assert (await _board(stage, _loan())).status_code == 201
    counts = await stage.queries.counts()
    assert counts["commands"]["board_loan"] == 4  # three of the stage, and this one


async def test_a_product_of_another_portfolio_is_not_boarded(stage: ApiStage) -> None:
    """The portfolio of the product decides."""
    await stage.key("core", CORE, program=True)
    await stage.portfolios.put("cn-personal", "south", stage.event("portfolio", "cn-personal"))
    answer = await _board(stage, _loan())
    assert (answer.status_code, answer.json()["code"]) == (404, "resource.unknown")
