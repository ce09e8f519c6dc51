"""Who calls: keys, what they do not prove, and what is written down about it."""

from collections import Counter
from datetime import timedelta

import pytest

from domain.access.person import Grant, PersonState, Role
from tests.support.apistage import ApiStage, everywhere

VIEW = Grant(Role.VIEWER, "main")


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic acq_abc", f"Bearer acq_abcdefabcdef_{'s' * 43}", "x" * 300],
)
async def test_nobody_is_proven_by_what_is_no_key(stage: ApiStage, header: str) -> None:
    """401 in one form, without a word about what was wrong, and nothing is logged."""
    answer = await stage.call("GET", "/v1/loans", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    body = answer.json()
    assert (body["code"], body["retryable"]) == ("auth.unproven", False)
    assert body["request_id"] == answer.headers["X-Request-Id"]
    assert body["next_step"]["zh-CN"]
    outcomes = {one.outcome for one in (await stage.log.events("", 100)).items}
    assert outcomes == {"changed"}


async def test_a_key_that_ended_proves_nobody_and_is_written_down(stage: ApiStage) -> None:
    """By its end, by revocation, by a wrong secret and by a disabled person: all alike."""
    key = await stage.key("eve", VIEW)
    assert (await stage.call("GET", "/v1/loans", "eve")).status_code == 200
    good = stage.keys["eve"]
    stage.keys["eve"] = good[:-43] + "t" * 43
    assert (await stage.call("GET", "/v1/loans", "eve")).status_code == 401
    stage.keys["eve"] = good
    await stage.persons.change("eve", stage.event("disable", "eve"), state=PersonState.DISABLED)
    assert (await stage.call("GET", "/v1/loans", "eve")).status_code == 401
    await stage.persons.change("eve", stage.event("enable", "eve"), state=PersonState.ACTIVE)
    stage.wall.ahead(timedelta(days=91))
    assert (await stage.call("GET", "/v1/loans", "eve")).status_code == 401
    stage.wall.ahead(-timedelta(days=91))
    await stage.persons.revoke(key.id, stage.event("revoke", key.id))
    assert (await stage.call("GET", "/v1/loans", "eve")).status_code == 401
    refused = [one for one in (await stage.log.events("", 100)).items if one.outcome == "denied"]
    assert Counter(one.rule for one in refused) == {
        "key.secret": 1,
        "person.disabled": 1,
        "key.ended": 2,
    }


async def test_another_portfolio_answers_as_if_there_were_nothing(stage: ApiStage) -> None:
    """Byte for byte, but for the id of the request."""
    await stage.key("eve", VIEW)
    answers = [await stage.call("GET", f"/v1/loans/{name}", "eve") for name in ("S1", "NONE")]
    assert [one.status_code for one in answers] == [404, 404]
    first, second = (one.json() for one in answers)
    del first["request_id"], second["request_id"]
    assert first == second
    listed = (await stage.call("GET", "/v1/loans", "eve")).json()["items"]
    assert [one["loan_id"] for one in listed] == ["L1", "L2"]
    denied = [one for one in (await stage.log.events("", 100)).items if one.outcome == "denied"]
    assert [(one.who, one.about, one.rule) for one in denied] == [
        ("eve", "loan S1", "portfolio.other")
    ]


async def test_a_moved_product_takes_its_loans_along(stage: ApiStage) -> None:
    """Who saw the loan before sees it no longer, and who sees the new portfolio does."""
    await stage.key("eve", VIEW)
    await stage.key("sue", Grant(Role.VIEWER, "south"))
    seen = [(await stage.call("GET", "/v1/loans/S1", by)).status_code for by in ("eve", "sue")]
    assert seen == [404, 200]
    await stage.portfolios.put("far", "main", stage.event("portfolio", "far"))
    seen = [(await stage.call("GET", "/v1/loans/S1", by)).status_code for by in ("eve", "sue")]
    assert seen == [200, 404]


async def test_a_missing_right_is_written_down(stage: ApiStage) -> None:
    """403 says which rule, and the log says who wanted what."""
    await stage.key("eve", VIEW)
    answer = await stage.call("GET", "/v1/balances", "eve")
    assert (answer.status_code, answer.json()["rule"]) == (403, "key.scope")
    (denied,) = [one for one in (await stage.log.events("", 100)).items if one.outcome == "denied"]
    assert (denied.who, denied.what, denied.rule) == ("eve", "read_books", "key.scope")


async def test_unknown_paths_and_methods_are_problems(stage: ApiStage) -> None:
    """Also without a key: they say nothing about what there is."""
    assert (await stage.call("GET", "/v1/none")).json()["code"] == "resource.unknown"
    wrong = await stage.call("DELETE", "/v1/loans")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "request.method")
    assert "GET" in wrong.headers["Allow"]


async def test_a_body_has_a_limit(stage: ApiStage) -> None:
    """It is refused while it comes, and nothing of it is kept."""
    await stage.key("core", everywhere(Role.SERVICE), program=True)
    headers = {"Content-Type": "application/json"}
    answer = await stage.call(
        "POST", "/v1/loans", "core", key="k1", content=b" " * 300_000, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


async def test_the_document_needs_no_key(stage: ApiStage) -> None:
    """It is OpenAPI 3.1 and says how to prove oneself."""
    found = (await stage.call("GET", "/v1/openapi.json")).json()
    assert found["openapi"] == "3.1.0"
    assert "HTTPBearer" in found["components"]["securitySchemes"]
