"""What is read over HTTP: lists that go on, money that is followed, the ledger and its proofs."""

import base64
import hashlib
from datetime import date
from typing import Any

from adapters.sql.write.checkpoints import SqlCheckpoints
from domain.access.person import Grant, Role
from domain.ledger.checkpoint import read_checkpoint
from tests.support.apistage import ApiStage, everywhere, fall_due
from tests.support.booksbench import confirm, intend, line, order_of
from tests.support.forging import a_signer
from tests.support.memory import board


async def _get(stage: ApiStage, path: str, by: str = "all", **query: Any) -> Any:
    answer = await stage.call("GET", path, by, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _paid(stage: ApiStage) -> str:
    """Have the first installment of L1 debited and proven; gives the payment's id."""
    await fall_due(stage, "L1")
    view = (await stage.installments("L1"))[0]
    action = view.next_action
    assert action is not None
    order_no = order_of(await intend(stage.books, "L1", 1, action.key))
    await stage.books.apply(confirm(order_no, 10_100))
    await stage.books.apply(line(order_no, 10_100, day=date(2026, 3, 11)))
    return f"R-{order_no}"


async def test_a_list_goes_on_where_it_ended_while_rows_are_added(stage: ApiStage) -> None:
    """Every loan that was there comes once, whatever is boarded meanwhile."""
    await stage.key("all", everywhere(Role.OPERATOR))
    found, after = [], ""
    for turn in range(10):
        page = await _get(stage, "/v1/loans", limit=1, after=after)
        found += [one["loan_id"] for one in page["items"]]
        await stage.books.apply(board(f"A{turn}"))
        await stage.books.apply(board(f"Z{turn}"))
        after = page["next"]
        if len(found) > 3:
            break
    assert found[:3] == ["L1", "L2", "S1"]
    assert len(set(found)) == len(found)


async def test_a_cursor_is_of_one_list_filter_and_set_of_portfolios(stage: ApiStage) -> None:
    """Anywhere else it is refused, and so is what is no cursor."""
    await stage.key("all", everywhere(Role.OPERATOR))
    await stage.key("ops", Grant(Role.OPERATOR, "main"))
    page = await _get(stage, "/v1/installments", limit=1)
    assert page["next"]
    for path, by, query in (
        ("/v1/installments", "all", {"state": "SCHEDULED"}),
        ("/v1/installments", "ops", {}),
        ("/v1/loans", "all", {}),
        ("/v1/installments", "all", {"after": "xyz"}),
        ("/v1/installments", "all", {"after": page["next"][:-4]}),
    ):
        asked = {"after": page["next"], "limit": 1, **query}
        answer = await stage.call("GET", path, by, params=asked)
        assert (answer.status_code, answer.json()["code"]) == (400, "request.cursor"), path


async def test_the_money_of_a_payment_is_followed(stage: ApiStage) -> None:
    """From the attempt to the payment, every posting of it, and the bank line that proves it."""
    await stage.key("all", everywhere(Role.OPERATOR))
    payment = await _paid(stage)
    (attempt,) = (await _get(stage, "/v1/loans/L1/installments/1/attempts"))["items"]
    assert (attempt["state"], attempt["amount"]["amount_minor"]) == ("CONFIRMED", 10_100)
    (listed,) = (await _get(stage, "/v1/payments", loan_id="L1"))["items"]
    assert listed == await _get(stage, f"/v1/payments/{payment}")
    assert listed["settled"] == {"amount_minor": 10_100, "currency": "CNY"}
    trail = (await _get(stage, f"/v1/payments/{payment}/trail"))["items"]
    assert len(trail) > 2
    assert any(one["line"] for one in trail)
    sums: dict[int, int] = {}
    for one in trail:
        sums[one["sequence"]] = sums.get(one["sequence"], 0) + one["amount"]["amount_minor"]
    assert set(sums.values()) == {0}


async def test_a_payment_of_another_portfolio_is_not_there(stage: ApiStage) -> None:
    """Neither by its id nor in a list."""
    await stage.key("sue", Grant(Role.OPERATOR, "south"))
    payment = await _paid(stage)
    for path in (f"/v1/payments/{payment}", f"/v1/payments/{payment}/trail", "/v1/payments/none"):
        answer = await stage.call("GET", path, "sue")
        assert (answer.status_code, answer.json()["code"]) == (404, "resource.unknown")
    assert (await _get(stage, "/v1/payments", "sue"))["items"] == []


async def test_events_are_read_on_from_the_last_one(stage: ApiStage) -> None:
    """With the subject, and a version that rises."""
    await stage.key("all", everywhere(Role.OPERATOR))
    await stage.key("sue", Grant(Role.OPERATOR, "south"))
    first = await _get(stage, "/v1/events", limit=200)
    await _paid(stage)
    later = await _get(stage, "/v1/events", limit=200, after=first["last"])
    assert later["items"]
    versions = [one["version"] for one in (*first["items"], *later["items"])]
    assert versions == sorted(set(versions))
    assert ("installment", "L1/1") in {
        (one["subject"]["kind"], one["subject"]["key"]) for one in later["items"]
    }
    assert (await _get(stage, "/v1/events", limit=200, after=later["last"]))["items"] == []
    theirs = await _get(stage, "/v1/events", "sue", limit=200)
    assert {one["subject"]["loan_id"] for one in theirs["items"]} <= {"S1"}


async def test_the_ledger_is_proven_to_who_has_a_checkpoint(stage: ApiStage) -> None:
    """The path of a proof leads to the root of the checkpoint, hash by hash."""
    await stage.key("all", everywhere(Role.OPERATOR))
    await _paid(stage)
    made = await SqlCheckpoints(stage.engine, stage.clock, a_signer()).seal()
    assert made is not None
    size = made.checkpoint.head.size
    (listed,) = (await _get(stage, "/v1/checkpoints"))["items"]
    assert listed == await _get(stage, f"/v1/checkpoints/{size}")
    assert read_checkpoint(listed["note"]).head.size == size
    found = await _get(stage, f"/v1/checkpoints/{size}/proofs", number=size)
    (proof,) = found["items"]
    assert proof["number"] == size
    assert base64.b64decode(proof["content"])
    beyond = await stage.call(
        "GET", f"/v1/checkpoints/{size}/proofs", "all", params={"number": size + 1}
    )
    assert beyond.status_code == 422
    balances = (await _get(stage, "/v1/balances", limit=200))["items"]
    totals: dict[str, int] = {}
    for one in balances:
        money = one["balance"]
        totals[money["currency"]] = totals.get(money["currency"], 0) + money["amount_minor"]
    assert totals == {"CNY": 0}


async def test_a_statement_file_is_kept_by_its_hash(stage: ApiStage) -> None:
    """The same bytes are the same file; an empty one is refused."""
    await stage.key("all", everywhere(Role.OPERATOR))
    content = b"a statement of some bank"
    name = hashlib.sha256(content).hexdigest()
    for _ in range(2):
        answer = await stage.call("POST", "/v1/statements/files", "all", content=content)
        assert (answer.status_code, answer.json()) == (202, {"sha256": name, "state": "kept"})
    assert (await _get(stage, f"/v1/statements/files/{name}"))["state"] == "kept"
    empty = await stage.call("POST", "/v1/statements/files", "all", content=b"")
    assert (empty.status_code, empty.json()["field"]) == (422, "body")
    assert (await _get(stage, "/v1/statements"))["items"] == []


async def test_a_case_is_listed_read_and_worked_on(stage: ApiStage) -> None:
    """Money that nobody explains waits in a case of no loan, for who sees everything."""
    await stage.key("all", everywhere(Role.OPERATOR))
    await stage.key("ops", Grant(Role.OPERATOR, "main"))
    await stage.books.apply(line("NOBODY", 500, day=date(2026, 3, 2)))
    (found,) = (await _get(stage, "/v1/cases"))["items"]
    assert (await _get(stage, "/v1/cases", "ops"))["items"] == []
    assert found == await _get(stage, f"/v1/cases/{found['key']}")
    body = {"kind": "assign_case", "reason": "mine", "assignee": "all"}
    path = f"/v1/cases/{found['key']}/orders"
    answer = await stage.call("POST", path, "all", key="k1", json=body)
    assert answer.status_code == 200, answer.text
    assert (await _get(stage, f"/v1/cases/{found['key']}"))["assignee"] == "all"
