"""What the items of a bundle prove: stated facts that agree are taken, all others refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.ledger.bundle import BundleProof, Row
from domain.ledger.proofs import NotProven

AT = datetime(2026, 3, 10, 4, tzinfo=UTC)


def item(**what: Any) -> Row:
    return {
        "seq": 7,
        "command_id": "c1",
        "actor_kind": "person",
        "actor_id": "p1",
        "reason": "why",
        "product": "test@1",
        "at": AT,
        "what": what,
    }


def moved(kind: str, key: str, target: str, **more: Any) -> Row:
    subject = {"kind": kind, "key": key}
    base = {"subject": subject, "loan_id": "L1", "target": target, "event": "e", "order_no": None}
    return item(**(base | more))


def posted(account: str, minor: int, **more: Any) -> Row:
    posting = {"account": account, "minor": minor, "number": 1, "loan": "L1"} | more
    return item(postings=(posting,))


@pytest.fixture
def proof() -> BundleProof:
    """Give a proof of a loan with something of everything."""
    made = BundleProof("L1")
    taken = [
        moved("installment", "L1/1", "DUE"),
        moved("installment", "L1/1", "queued", event="reminder_queued", detail="sms N-1"),
        moved("installment", "L1/1", "INTENDED", order_no="O1"),
        moved("installment", "L1/1", "sent_again", order_no="O1"),
        moved("case", "K1", "OPEN"),
        moved("payout", "P1", "PROVEN", loan_id=""),
        posted("owed/L1/1/principal", 100),
        posted("owed/L1/1/principal", -40, payment="R-1"),
        posted("owed/L2/1/principal", 5, loan="L2"),
        posted("bank/A", 40, line="A/1", payment="R-1"),
    ]
    assert [made.take(one) for one in taken] == [None] * len(taken)
    return made


LOAN = {"loan": "L1", "installments": [{"number": 1, "state": "DUE", "owed_minor": 60}]}
STATED: dict[str, tuple[Row, dict[str, Any]]] = {
    "loan.json": (LOAN, {"loan": "L2"}),
    "product.json": ({"ref": "test@1"}, {"ref": "test@2"}),
    "attempts.jsonl": ({"order_no": "O1", "state": "INTENDED"}, {"state": "CONFIRMED"}),
    "notices.jsonl": ({"message_id": "N-1"}, {"message_id": 1}),
    "payments.jsonl": ({"payment": "R-1"}, {"payment": "R-2"}),
    "lines.jsonl": ({"line": "A/1", "proves": [{"payment": "R-1"}]}, {"line": "A/2"}),
    "payouts.jsonl": ({"payout": "P1", "state": "PROVEN"}, {"state": "PAID"}),
    "cases.jsonl": ({"case": "K1", "state": "OPEN"}, {"case": "K2"}),
}


@pytest.mark.parametrize("part", STATED)
def test_a_fact_is_what_the_items_say(proof: BundleProof, part: str) -> None:
    """Each part by its own rule; one value changed is refused."""
    row, lie = STATED[part]
    proof.check(part, row)
    with pytest.raises(NotProven, match=part):
        proof.check(part, {**row, **lie})


def test_open_amounts_and_states_are_those_of_the_entries_and_moves(proof: BundleProof) -> None:
    """Of each installment; another loan's postings do not count."""
    for lie in ({"owed_minor": 61}, {"state": "CLOSED"}, {"number": 2}):
        rows = [{"number": 1, "state": "DUE", "owed_minor": 60, **lie}]
        with pytest.raises(NotProven, match=r"loan\.json"):
            proof.check("loan.json", {"loan": "L1", "installments": rows})


def test_an_order_of_a_former_system_has_no_move(proof: BundleProof) -> None:
    """It was brought over with the loan."""
    row: dict[str, Any] = {"order_no": "OLD", "state": "CONFIRMED"}
    proof.check("attempts.jsonl", row | {"brought_over": True})
    with pytest.raises(NotProven, match="OLD"):
        proof.check("attempts.jsonl", row | {"brought_over": False})


def test_a_command_is_a_decision(proof: BundleProof) -> None:
    """It is given back as the part of decisions has it, whatever is missing from it."""
    about = proof.about
    found = proof.take(item(kind="waive", approver=None, rule="no", loan_id="L1"))
    assert found == {
        "number": 7,
        "command": "waive",
        "command_id": "c1",
        "at": "2026-03-10T04:00:00.000000Z",
        "actor": "person/p1",
        "approver": "",
        "reason": "why",
        "refused_by": "no",
    }
    assert proof.about == about + 1
    bare = proof.take({"what": {}})
    assert bare is not None
    assert bare["at"] == ""


def test_items_of_another_shape_prove_nothing(proof: BundleProof) -> None:
    """Postings that are no list, amounts that are no numbers, subjects that are no subjects."""
    items, about = proof.items, proof.about
    proof.take(item(postings=7))
    proof.take(item(postings=(7, {"account": "owed/L1/1/principal", "minor": "9", "number": 1})))
    proof.take(item(target="DUE", subject=3))
    assert (proof.items, proof.about) == (items + 3, about)
    proof.check("loan.json", LOAN)
    with pytest.raises(NotProven, match="item 7"):
        proof.take({"seq": 7, "what": 3})


def test_a_part_that_nobody_knows_proves_nothing(proof: BundleProof) -> None:
    """A certificate of a later build is refused by this one."""
    with pytest.raises(NotProven, match=r"certificate\.json"):
        proof.check("certificate.json", {})
