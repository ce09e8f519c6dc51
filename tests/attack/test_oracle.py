"""The judge itself: each kind of wrong that is planted in sound books is seen."""

from dataclasses import replace
from typing import Any

import pytest

from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.ledger.entry import Entry, Posting
from domain.loan import closure
from domain.loan.decide import lines, money, reports
from domain.loan.lifecycle import State
from tests.attack.ending import finish
from tests.attack.findings import Finding
from tests.attack.histories import History, script, shrunk
from tests.attack.machine import Attack
from tests.attack.setup import FUNDER_ACCOUNT, Setup


def _paid(**terms: object) -> Attack:
    """A loan whose first installment was debited and is proven."""
    attack = Attack(Setup(**terms))  # type: ignore[arg-type]
    attack.drive(loan=0, number=0)
    attack.days(2)
    attack.all_news()
    return attack


def _rule(attack: Attack) -> str:
    """The rule that the next quiet command finds broken."""
    with pytest.raises(Finding) as found:
        attack.days(1)
    return found.value.rule


def test_sound_books_are_found_sound() -> None:
    """A plain life ends without a finding, proven and closed."""
    attack = _paid()
    finish(attack)
    assert {item.state for item in attack.books.loans["L1"].installments} == {"CLOSED"}


def test_what_is_owed_is_read_from_postings() -> None:
    """Owing that the aggregate does not know is seen, whoever posted it."""
    attack = _paid()
    owed = Posting("owed/L1/2/fee", 5, "CNY", "L1", 2, "fee")
    claim = Posting("claim/funder-1", -5, "CNY", "L1", 2, "fee")
    attack.books.entries.append(Entry("odd", attack.today, (owed, claim)))
    assert _rule(attack) == "item.view"


def test_a_share_taken_from_a_place_where_it_does_not_lie_is_seen() -> None:
    """It balances at both places, and the party's item is at the other one."""
    attack = _paid()
    (order_no,) = attack.oracle.sent
    about: dict[str, Any] = {"loan": "L1", "number": 1, "payment": f"R-{order_no}"}
    share = Posting("payable/funder-1", 5, "CNY", component="fee", party="funder-1", **about)
    here = [
        replace(share, place="bank/K"),
        Posting("clearing/x", -5, "CNY", place="bank/K", **about),
    ]
    there = [replace(part, minor=-part.minor, place="bank/X") for part in here]
    attack.books.entries.append(Entry("odd", attack.today, (*here, *there)))
    assert _rule(attack) == "payment.place"


def test_an_order_beside_a_live_one_is_seen() -> None:
    """Books that forget an order without an answer send another; the judge does not forget."""
    attack = Attack(Setup())
    attack.drive(loan=0, number=0, fate="silent")
    loan = attack.books.loans["L1"]
    first = loan.installments[0]
    abandoned = replace(
        first.attempts[0],
        state=AttemptState.NOT_EXECUTED,
        outcome_class=OutcomeClass.NOT_FOUND,
        ended_at=attack.books.at,
    )
    first = replace(first, attempts=(abandoned,), state=State.RETRYING)
    attack.books.loans["L1"] = replace(loan, installments=(first, *loan.installments[1:]))
    with pytest.raises(Finding, match=r"order\.beside"):
        attack.drive(loan=0, number=0)


def test_a_line_that_was_never_booked_is_seen() -> None:
    """What the bank has and the books have not is a finding at the end."""
    attack = _paid()
    attack.stray(minor=7777)
    attack.days(2)
    attack.all_news()
    line_id = attack.bank.booked[-1]
    moved = [
        replace(
            entry,
            postings=tuple(
                replace(p, account="bank/elsewhere") if p.account == f"bank/{FUNDER_ACCOUNT}" else p
                for p in entry.postings
            ),
        )
        if any(p.line == line_id for p in entry.postings)
        else entry
        for entry in attack.books.entries
    ]
    attack.books.entries[:] = moved
    attack.oracle.tally = type(attack.oracle.tally)()
    attack.oracle.read = 0
    with pytest.raises(Finding, match=r"bank\.balance"):
        finish(attack)


def _nothing(*_: object, **__: object) -> tuple[()]:
    return ()


def _always(*_: object, **__: object) -> bool:
    return True


PLANTED = (
    (closure, "unproven", _nothing, "gate.unproven"),
    (reports, "_conclusive", _always, "order.not_found"),
    (money, "_park", _nothing, "suspense.no_case"),
    (lines, "open_case_of_line", _nothing, "line.no_case"),
)


@pytest.mark.parametrize(("room", "name", "instead", "rule"), PLANTED, ids=lambda x: str(x)[:20])
def test_a_planted_fault_is_found(
    monkeypatch: pytest.MonkeyPatch, room: Any, name: str, instead: Any, rule: str
) -> None:
    """A rule that is taken out of the decisions is missed within a few hundred histories."""
    monkeypatch.setattr(room, name, instead)
    found = (History.drawn(seed).finding() for seed in range(400))
    assert any(finding is not None and finding.rule == rule for finding in found)


def test_a_finding_is_shrunk_to_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps and terms that have nothing to do with a finding are left out."""
    monkeypatch.setattr(closure, "unproven", _nothing)
    seeds = ((seed, History.drawn(seed).finding()) for seed in range(400))
    seed = next(seed for seed, found in seeds if found and found.rule == "gate.unproven")
    history = shrunk(History.drawn(seed), "gate.unproven")
    assert len(history.steps) <= 3
    assert len(history.setup.said) <= 1
    assert "def test_gate_unproven" in script(history, "gate.unproven")
    assert History.read(history.plain) == history
