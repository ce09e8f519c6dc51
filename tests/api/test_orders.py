"""Orders over HTTP: shown, given at once, or asked for until a second person has decided."""

from typing import Any

import pytest

from domain.access.person import Grant, Role
from domain.loan.view import installment
from tests.support.apistage import ApiStage, everywhere, fall_due

OPS, ANN = Grant(Role.OPERATOR, "main"), Grant(Role.APPROVER, "main")
ONE = "/v1/loans/L1/installments/1"
HOLD = {"kind": "hold", "reason": "disputed"}
CANCEL = {"kind": "cancel", "reason": "agreed with the borrower"}


async def _asked(stage: ApiStage, body: dict[str, Any], key: str = "k1") -> dict[str, Any]:
    answer = await stage.call("POST", f"{ONE}/orders", "ops", key=key, json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"/v1/approvals/{answer.json()['request']}"
    found: dict[str, Any] = answer.json()
    return found


async def test_an_order_that_needs_one_person_is_applied_at_once(stage: ApiStage) -> None:
    """The same key and body get the same answer, and the books hold the order once, by person."""
    await stage.key("ops", OPS)
    answers = [
        await stage.call("POST", f"{ONE}/orders", "ops", key="k1", json=HOLD) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [200, 200], answers[0].text
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["state"] == "applied"
    found = (await stage.call("GET", ONE, "ops")).json()
    assert found["hold"] == "all"
    story = (await stage.call("GET", f"{ONE}/story", "ops")).json()["items"]
    held = [one for one in story if one["command"] == "hold"]
    assert [(one["actor"], one["reason"]) for one in held] == [("operator/ops", "disputed")]


async def test_a_preview_writes_nothing_and_shows_what_would_happen(stage: ApiStage) -> None:
    """Its digest is the one that the request then binds."""
    await stage.key("ops", OPS)
    before = await stage.queries.head()
    shown = await stage.call("POST", f"{ONE}/orders/preview", "ops", json=CANCEL)
    assert shown.status_code == 200, shown.text
    assert await stage.queries.head() == before
    assert [one["target"] for one in shown.json()["moves"]] == ["CANCELLED"]
    asked = await _asked(stage, CANCEL)
    request = (await stage.call("GET", f"/v1/approvals/{asked['request']}", "ops")).json()
    assert request["preview"]["digest"] == shown.json()["digest"]
    assert request["rule"] == "cancel.four_eyes"


async def test_an_order_that_needs_two_waits_and_is_carried_out_once(stage: ApiStage) -> None:
    """Nothing happens until another person approves; the books then name both."""
    await stage.key("ops", OPS)
    await stage.key("ann", ANN)
    asked = await _asked(stage, CANCEL)
    view = await stage.queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == "SCHEDULED"
    known = await stage.requests.request(asked["request"])
    assert known is not None
    digest = known.request.preview_digest
    done = await stage.orders.approve(known.request.id, await stage.here("ann"), digest)
    assert done.request.state == "done", done  # type: ignore[union-attr]
    again = await stage.orders.approve(known.request.id, await stage.here("ann"), digest)
    assert again.rule == "approval.decided"  # type: ignore[union-attr]
    view = await stage.queries.view(installment("L1", 1))
    assert view is not None
    assert view.state == "CANCELLED"
    repeated = await stage.call("POST", f"{ONE}/orders", "ops", key="k1", json=CANCEL)
    assert repeated.json()["state"] == "done"
    story = (await stage.call("GET", f"{ONE}/story", "ops")).json()["items"]
    cancelled = [one for one in story if one["command"] == "cancel"]
    assert [(one["actor"], one["approver"]) for one in cancelled] == [("operator/ops", "ann")]


@pytest.mark.parametrize(
    ("amount", "status"), [((10_000,), [200]), ((10_001,), [202]), ((6_000, 6_000), [200, 202])]
)
async def test_waivers_above_the_limit_need_two(
    stage: ApiStage, amount: tuple[int, ...], status: list[int]
) -> None:
    """Limits add up over the orders of a person, so that splitting does not pass."""
    await stage.key("ops", OPS)
    await fall_due(stage, "L1", "L2")
    found = []
    for place, minor in enumerate(amount):
        body = {
            "kind": "charge",
            "reason": "fee",
            "component": "fee",
            "amount": {"amount_minor": minor, "currency": "CNY"},
        }
        path = f"/v1/loans/L{place + 1}/installments/1/orders"
        answer = await stage.call("POST", path, "ops", key=f"k{place}", json=body)
        found.append(answer.status_code)
    assert found == status, answer.text


async def test_the_books_refuse_by_rule(stage: ApiStage) -> None:
    """A refusal of the books is a 409 with their rule, the same one again."""
    await stage.key("ops", OPS)
    body = {"kind": "unhold", "reason": "done"}
    answers = [
        await stage.call("POST", f"{ONE}/orders", "ops", key="k1", json=body) for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [409, 409], answers[0].text
    first, second = (one.json() for one in answers)
    assert first["code"] == second["code"] == "order.refused"
    assert first["rule"] == second["rule"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "sing", "reason": "r"}, "body"),
        ({"kind": "hold"}, "reason"),
        ({"kind": "hold", "reason": "r", "approver": "ann"}, "approver"),
        ({"kind": "hold", "reason": "r", "actor": "ann"}, "actor"),
        ({"kind": "hold", "reason": " "}, "reason"),
        (
            {
                "kind": "waive",
                "reason": "r",
                "component": "fee",
                "amount": {"amount_minor": 1, "currency": "EUR"},
            },
            "amount.currency",
        ),
        (
            {
                "kind": "waive",
                "reason": "r",
                "component": "fee",
                "amount": {"amount_minor": "1", "currency": "CNY"},
            },
            "amount_minor",
        ),
    ],
)
async def test_a_wrong_body_names_its_field_and_keeps_the_key_free(
    stage: ApiStage, body: dict[str, Any], field: str
) -> None:
    """Nobody names an approver or another actor; the key serves the corrected order."""
    await stage.key("ops", OPS)
    answer = await stage.call("POST", f"{ONE}/orders", "ops", key="k1", json=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "request.invalid"
    assert field in (answer.json()["field"] or "body"), answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    good = await stage.call("POST", f"{ONE}/orders", "ops", key="k1", json=HOLD)
    assert good.status_code == 200, good.text


async def test_a_case_without_a_loan_needs_a_role_everywhere(stage: ApiStage) -> None:
    """An operator of one portfolio is answered as if there were none."""
    await stage.key("ops", OPS)
    await stage.key("all", everywhere(Role.OPERATOR))
    body = {"kind": "note_case", "reason": "looked at it"}
    for by in ("ops", "all"):
        answer = await stage.call("POST", "/v1/cases/no/such/case/orders", by, key="k1", json=body)
        assert answer.status_code == 404, answer.text
