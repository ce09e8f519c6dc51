"""The permission matrix: every endpoint with every role, in its portfolio and in another one."""

from typing import Any

import pytest

from domain.access.person import EVERYWHERE, Grant, Role
from domain.access.rights import NEVER_BY_KEY, RIGHTS, Right
from tests.support.apistage import ApiStage

_R = Right
LOAN = "/v1/loans/{loan}"
ONE = f"{LOAN}/installments/1"
HOLD = {"kind": "hold", "reason": "r"}
NOTE = {"kind": "note_case", "reason": "r"}
REFUSE = {"kind": "refuse_payout", "reason": "r"}
OF_A_LOAN: dict[tuple[str, str], tuple[Right, Any]] = {
    ("GET", LOAN): (_R.READ_LOANS, None),
    ("GET", f"{LOAN}/schedule"): (_R.READ_LOANS, None),
    ("GET", f"{LOAN}/story"): (_R.READ_LOANS, None),
    ("GET", ONE): (_R.READ_LOANS, None),
    ("GET", f"{ONE}/story"): (_R.READ_LOANS, None),
    ("GET", f"{ONE}/attempts"): (_R.READ_LOANS, None),
    ("POST", f"{ONE}/orders/preview"): (_R.ORDER, HOLD),
    ("POST", f"{ONE}/orders"): (_R.ORDER, HOLD),
}
"""What is about one loan: refused without the right, unknown in another portfolio."""
LISTS: dict[tuple[str, str], Right] = {
    ("GET", "/v1/loans"): _R.READ_LOANS,
    ("GET", "/v1/installments"): _R.READ_LOANS,
    ("GET", "/v1/payments"): _R.READ_MONEY,
    ("GET", "/v1/cases"): _R.READ_CASES,
    ("GET", "/v1/events"): _R.READ_EVENTS,
    ("GET", "/v1/approvals"): _R.ORDER,
}
"""Lists that show what is of the caller's portfolios."""
OF_ALL: dict[tuple[str, str], Right] = {
    ("GET", "/v1/payouts"): _R.READ_PAYOUTS,
    ("GET", "/v1/statements"): _R.READ_STATEMENTS,
    ("GET", "/v1/balances"): _R.READ_BOOKS,
    ("GET", "/v1/checkpoints"): _R.READ_BOOKS,
}
"""What belongs to no single portfolio: a role must hold everywhere."""
NOT_THERE: dict[tuple[str, str], tuple[Right, Any]] = {
    ("GET", "/v1/payments/none"): (_R.READ_MONEY, None),
    ("GET", "/v1/payments/none/trail"): (_R.READ_MONEY, None),
    ("GET", "/v1/cases/none"): (_R.READ_CASES, None),
    ("POST", "/v1/cases/none/orders"): (_R.ORDER_CASES, NOTE),
    ("GET", f"/v1/approvals/{'0' * 32}"): (_R.ORDER, None),
    ("GET", "/v1/payouts/none"): (_R.READ_PAYOUTS, None),
    ("POST", "/v1/payouts/none/orders"): (_R.ORDER, REFUSE),
    ("GET", f"/v1/statements/files/{'0' * 64}"): (_R.READ_STATEMENTS, None),
    ("GET", "/v1/checkpoints/1"): (_R.READ_BOOKS, None),
    ("GET", "/v1/checkpoints/1/proofs?number=1"): (_R.READ_BOOKS, None),
}
"""Names of nothing: 404 for who has the right, 403 for who has not; alike in any portfolio."""
APART = {("POST", "/v1/loans"): _R.BOARD, ("POST", "/v1/statements/files"): _R.BRING_STATEMENTS}
"""What has tests of its own below."""


def _template(path: str) -> str:
    known = {
        "{loan}": "{loan_id}", "installments/1": "installments/{number}",
        "payments/none": "payments/{payment_id}", "cases/none": "cases/{key}",
        "payouts/none": "payouts/{key}", "approvals/" + "0" * 32: "approvals/{request_id}",
        "files/" + "0" * 64: "files/{sha256}", "checkpoints/1": "checkpoints/{size}",
    }  # fmt: skip
    for shown, named in known.items():
        path = path.replace(shown, named)
    return path.partition("?")[0]


async def test_the_matrix_has_every_endpoint(stage: ApiStage) -> None:
    """An endpoint that nobody has put into the matrix fails here."""
    found = (await stage.call("GET", "/v1/openapi.json")).json()["paths"]
    served = {(method.upper(), path) for path, of in found.items() for method in of}
    listed = {
        (method, _template(path))
        for table in (OF_A_LOAN, LISTS, OF_ALL, NOT_THERE, APART)
        for method, path in table
    }
    assert served == listed


@pytest.mark.parametrize("role", Role)
async def test_each_role_passes_where_it_has_the_right_and_nowhere_else(
    stage: ApiStage, role: Role
) -> None:
    """In its own portfolio, in another one, and with the role everywhere."""
    program = role is Role.SERVICE
    await stage.key("here", Grant(role, "main"), program=program)
    await stage.key("all", Grant(role, EVERYWHERE), program=program)
    held = RIGHTS[role] - NEVER_BY_KEY
    wrong = []

    async def check(call: tuple[str, str], by: str, loan: str, body: Any, wanted: set[int]) -> None:
        method, path = call
        key = None if body is None else f"{by}-{loan}-{path[-12:]}".replace("/", ".")
        found = await stage.call(method, path.replace("{loan}", loan), by, key=key, json=body)
        if found.status_code not in wanted:
            wrong.append((call, by, loan, found.status_code, wanted, found.text[:200]))

    for call, (right, body) in OF_A_LOAN.items():
        has = right in held
        await check(call, "here", "L1", body, {200} if has else {403})
        await check(call, "here", "S1", body, {404} if has else {403})
        await check(call, "all", "S1", body, {200} if has else {403})
    for call, right in LISTS.items():
        for by in ("here", "all"):
            await check(call, by, "", None, {200} if right in held else {403})
    for call, right in OF_ALL.items():
        await check(call, "here", "", None, {403})
        await check(call, "all", "", None, {200} if right in held else {403})
    for call, (right, body) in NOT_THERE.items():
        await check(call, "all", "", body, {404} if right in held else {403})
        await check(call, "here", "", body, {404, 403} if right in held else {403})
    assert wrong == []


@pytest.mark.parametrize("role", Role)
async def test_who_may_bring_statements(stage: ApiStage, role: Role) -> None:
    """Statements are of no portfolio; the service and operators that are everywhere bring them."""
    program = role is Role.SERVICE
    await stage.key("here", Grant(role, "main"), program=program)
    await stage.key("all", Grant(role, EVERYWHERE), program=program)
    found = [
        (await stage.call("POST", "/v1/statements/files", by, content=b"a file")).status_code
        for by in ("here", "all")
    ]
    assert found == [403, 202 if Right.BRING_STATEMENTS in RIGHTS[role] else 403]
