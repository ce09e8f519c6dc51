"""Persons, keys and approvals by the command line, on books of their own."""

import asyncio
import base64
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest

from api.orderdoor import OrderDoor
from cli.tree import run
from domain.access.apikey import parts_of
from domain.access.totp import STEP_S, code_at
from domain.kernel.command import Actor
from domain.loan.commands import Cancel
from ports.boarding import LoanApplication
from ports.orderrequests import Asked
from workers.access import access_of
from workers.compose import open_stack
from workers.settings import load_settings

LOAN = LoanApplication(
    tenant="main", loan_id="C-1", borrower="tok-b", product="cn-personal", principal="12000.00",
    annual_rate="12", periods="6", disbursed_on="2026-11-01", first_due_on="2027-12-01",
    mandate_ref="M-1", account_token="tok-a",
)  # fmt: skip


class Shell:
    """Runs commands in one home and reads what they print as JSON."""

    def __init__(
        self, home: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch
    ) -> None:
        self._home, self._capsys, self._patch = home, capsys, patch

    def __call__(self, *words: str, code: int = 0, typed: str = "") -> Any:
        """Run one command; `typed` is its standard input."""
        self._patch.setattr("sys.stdin", io.StringIO(typed))
        found = run(["--home", str(self._home), *words])
        out, err = self._capsys.readouterr()
        assert found == code, (out, err)
        return json.loads(out) if "--json" in words else out + err

    async def ask(self) -> str:
        """Board a loan and have `ops` ask for the cancellation of its first installment."""
        async with open_stack(load_settings(self._home)) as stack:
            await stack.books.apply(stack.boarding.command(LOAN))
            access = access_of(stack)
            ops = await access.persons.person("ops")
            assert ops is not None
            order = Cancel(
                id="api:ops/C-1/1/k", actor=Actor("operator", "ops"), reason="agreed",
                loan_id="C-1", number=1,
            )  # fmt: skip
            door: OrderDoor = access.orders
            asked = await door.give(order, ops, "main")
            assert isinstance(asked, Asked), asked
            return asked.request.id


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """Give a shell in a home with empty books."""
    made = Shell(tmp_path / "home", capsys, monkeypatch)
    made("db", "upgrade")
    return made


def test_persons_are_added_listed_granted_and_disabled(shell: Shell) -> None:
    """Each change stands in the log with who made it; what cannot be held together is refused."""
    shell("persons", "add", "ann", "--role", "approver@main", "--actor", "adm")
    shell("persons", "grant", "ann", "--role", "viewer", "--role", "approver", "--actor", "adm")
    refused = shell(
        "persons", "grant", "ann", "--role", "admin", "--role", "viewer", "--actor", "adm", code=2
    )
    assert "not held together" in refused
    shell("persons", "disable", "ann", "--actor", "adm")
    (found,) = shell("persons", "list", "--json")["persons"]
    assert found == {
        "person": "ann",
        "kind": "human",
        "state": "disabled",
        "roles": ["approver@*", "viewer@*"],
    }
    shell("persons", "enable", "ann", "--actor", "adm")
    shell("persons", "portfolio", "cn-personal", "north", "--actor", "adm")
    events = shell("persons", "log", "--json")["events"]
    assert len(events) == 5
    assert {(one["who"], one["outcome"]) for one in events} == {("adm", "changed")}
    assert "ann" in shell("persons", "list")
    assert "portfolio north" in shell("persons", "log")
    for words in (
        ("persons", "add", "bob", "--role", "king", "--actor", "adm"),
        ("persons", "add", "bob"),
        ("persons", "portfolio", "none", "north", "--actor", "adm"),
    ):
        shell(*words, code=2)


def test_keys_are_issued_listed_rotated_and_revoked(shell: Shell) -> None:
    """The key is shown once; lists show its id, scopes and end."""
    shell("persons", "add", "core", "--program", "--role", "service@main", "--actor", "adm")
    made = shell(
        "keys", "issue", "core", "--scope", "read_loans", "--scope", "board", "--actor", "adm",
        "--json",
    )  # fmt: skip
    parts = parts_of(made["secret"])
    assert parts is not None
    assert parts[0] == made["key"]
    new = shell("keys", "rotate", made["key"], "--overlap-hours", "1", "--actor", "adm", "--json")
    shell("keys", "revoke", new["key"], "--actor", "adm")
    rows = shell("keys", "list", "core", "--json")["keys"]
    assert {row["key"] for row in rows} == {made["key"], new["key"]}
    assert {row["scopes"] for row in rows} == {"board read_loans"}
    assert made["secret"] not in shell("keys", "list", "core")
    assert shell("keys", "issue", "core", "--scope", "board", "--actor", "a").startswith("acq_")
    for words in (
        ("keys", "issue", "core", "--scope", "approve", "--actor", "adm"),
        ("keys", "issue", "core", "--scope", "read_payouts", "--actor", "adm"),
        ("keys", "issue", "nobody", "--scope", "board", "--actor", "adm"),
        ("keys", "rotate", "000000000000", "--actor", "adm"),
        ("keys", "revoke", "000000000000", "--actor", "adm"),
    ):
        shell(*words, code=2)


def test_a_second_person_approves_with_password_and_code(shell: Shell) -> None:
    """The preview is shown, its digest is bound, and a wrong login is refused and written down."""
    shell("persons", "add", "ops", "--role", "operator@main", "--actor", "adm")
    ann = shell("persons", "add", "ann", "--role", "approver@main", "--actor", "adm", "--json")
    request = asyncio.run(shell.ask())
    assert request in shell("approvals")
    (row,) = shell("approvals", "--json")["requests"]
    assert (row["id"], row["requester"], row["about"]) == (request, "ops", "C-1/1")
    shown = shell("approvals", request)
    assert "installment C-1/1: SCHEDULED > CANCELLED (cancelled)" in shown
    digest = shell("approvals", request, "--json")["preview_digest"]
    words = ("approve", request, "--person", "ann", "--preview", digest)
    assert "login.refused" in shell(*words, typed="wrong\n000000\n", code=1)
    secret = ann["second_factor"].partition("secret=")[2].partition("&")[0]
    factor = base64.b32decode(secret)
    code = code_at(factor, int(time.time() // STEP_S))
    done = shell(*words, "--json", typed=f"{ann['password']}\n{code}\n")
    assert done == {"state": "done", "rule": "", "why": ""}
    assert "CANCELLED" in shell("story", "C-1/1")
    again = code_at(factor, int(time.time() // STEP_S) + 1)
    late = shell(
        "refuse", request, "--person", "ann", "--reason", "no", "--json",
        typed=f"{ann['password']}\n{again}\n", code=1,
    )  # fmt: skip
    assert late["rule"] == "approval.decided"
    outcomes = [one["outcome"] for one in shell("persons", "log", "--json")["events"]]
    assert outcomes.count("denied") == 2
    shell("approvals", "0" * 32, code=2)
    shell("approvals", "--state", "none", code=2)
    shell("approve", request, "--person", "ann", "--preview", digest, code=2)
