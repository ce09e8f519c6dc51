"""What a reader of a comparison gets: every finding in full, and all where there are several."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.audit import AuditReport, ChainFact, Findings, TruthNotice, compare
from domain.audit.findings import Finding, FindingKind
from domain.debit.attempt import Attempt, AttemptState
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State
from tests.support.auditbench import ACCOUNT, IN_ORDER, World, booking_day, paid_and_closed

DUE = date(2026, 3, 10)
ORDER = "L100101C4AEE9B2"
PAID = 10_100


@pytest.fixture
def world() -> World:
    """Give a world in which one installment of 101.00 went from reminder to closure."""
    return paid_and_closed()


def found(report: AuditReport) -> list[tuple[str, str, str, int]]:
    """Give kind, subject, text and amount of every finding, all about yuan where about money."""
    assert {item.currency for item in report.findings} <= {"CNY", ""}
    assert all(item.currency or not item.minor or _by_account(item) for item in report.findings)
    return [(item.kind.value, item.subject, item.text, item.minor) for item in report.findings]


def _by_account(item: Finding) -> bool:
    """Whether a finding is about accounts, which the journal keeps by currency."""
    return item.kind is FindingKind.ITEMS_DIFFER


def presented() -> tuple[World, Attempt]:
    """Give a world in which a debit of the first installment is out."""
    world = World()
    world.board()
    world.to(DUE, 1, 30)
    world.roll(DUE)
    return world, world.intend()


def change(world: World, number: int = 1, **fields: Any) -> Loan:
    """Change an installment behind the books' back; gives the loan as it was."""
    loan = world.books.loans["L1"]
    items = list(loan.installments)
    items[number - 1] = replace(items[number - 1], **fields)
    world.put(replace(loan, installments=tuple(items)))
    return loan


def tried(world: World, *changes: dict[str, Any]) -> Installment:
    """Replace the attempts of the first installment by copies of its first, each changed."""
    first = world.books.item().attempts[0]
    change(
        world,
        attempts=tuple(
            replace(first, number=number, order_no=f"N{number}", **fields)
            for number, fields in enumerate(changes, start=1)
        ),
    )
    return world.books.item()


def test_a_comparison_adds_to_the_report_on_the_books(world: World) -> None:
    """What was counted and found in the books stays; the bank's part comes under its own names."""
    world.notices.append(TruthNotice("stray", "sms", world.books.at))
    books = replace(
        IN_ORDER,
        loans=3,
        installments={"CLOSED": 1},
        attempts={"NSF": 2},
        payments=4,
        returns=5,
        open_attempts=6,
        open_cases={"surplus": 7},
        suspense={"CNY": 123},
        closing=8,
        paid_not_closed=9,
        chain=ChainFact(10, 11, "f" * 64),
        found=Findings(),
    )
    books.found.add([Finding(FindingKind.CHAIN, "journal", "one")])
    text = "a provider has a message that the books do not know"
    assert compare(books, world.facts(), world.truth()).as_dict() == {
        "loans": 3,
        "installments": {"CLOSED": 1},
        "attempts": {"NSF": 2},
        "payments": 4,
        "returns": 5,
        "reminders": 1,
        "double_debits": 0,
        "lost_payments": 0,
        "closed_not_paid": 0,
        "paid_not_closed": 9,
        "unexplained_minor": 0,
        "ledger": {
            "entries": 10,
            "postings": 11,
            "balanced": True,
            "chain_ok": False,
            "head": "f" * 64,
        },
        "open_attempts": 6,
        "open_cases": {"surplus": 7},
        "suspense": {"CNY": "1.23"},
        "closing": 8,
        "posts": 1,
        "found": {"chain": 1, "contact": 1},
        "findings": [
            {"kind": "chain", "subject": "journal", "text": "one", "minor": 0, "currency": ""},
            {"kind": "contact", "subject": "stray", "text": text, "minor": 0, "currency": ""},
        ],
        "clean": False,
    }
    assert books.found.found == 1, "the report on the books is as it was"


@pytest.mark.parametrize(("seconds", "late"), [(0, False), (1, True)])
def test_an_order_may_be_sent_at_the_instant_of_the_last_final_outcome(
    world: World, *, seconds: int, late: bool
) -> None:
    """In the books and at the bank: the same instant is after it, a second earlier is not."""
    item = world.books.item()
    first, order = item.attempts[0], world.orders[ORDER]
    assert first.ended_at is not None
    second = replace(first, number=2, order_no="N2", intended_at=first.ended_at)
    change(world, attempts=(first, second))
    (done,) = order.executions
    world.orders["N2"] = replace(
        *(order,),
        order_no="N2",
        executions=(),
        received_at=done.executed_at - timedelta(seconds=seconds),
    )
    reported = [line for line in found(world.compared()) if line[0] == "double_debit"]
    text = f"sent before the bank executed {ORDER}"
    assert reported == ([("double_debit", "L1/1 N2", text, PAID)] if late else [])


def test_an_order_that_was_refused_before_the_next_came_is_in_order(world: World) -> None:
    """A final outcome without an execution: there is no moment of execution to wait for."""
    item = world.books.item()
    first, order = item.attempts[0], world.orders[ORDER]
    assert first.ended_at is not None
    change(
        world,
        attempts=(first, replace(first, number=2, order_no="N2", intended_at=first.ended_at)),
    )
    world.orders[ORDER] = replace(order, executions=(), final_status="DECLINED")
    world.orders["N2"] = replace(order, order_no="N2", executions=())
    assert world.compared().count(FindingKind.DOUBLE_DEBIT) == 0


def test_one_unit_that_the_bank_never_took_is_reported(world: World) -> None:
    """The books have one unit more allocated than the order of a closed installment brought."""
    paid = next(p for p in world.postings if p.account.startswith("owed/") and p.minor < 0)
    world.postings.append(replace(paid, seq=99, minor=-1))
    assert found(world.compared()) == [
        ("closed_not_paid", "L1/1", f"order {ORDER} brought less", 1),
    ]


def test_every_order_without_its_intent_is_reported(world: World) -> None:
    """A stranger, another content, and one that came before it was intended."""
    order = world.orders[ORDER]
    intended = world.books.item().attempts[0].intended_at
    world.orders["X"] = replace(order, order_no="X", executions=(), amount_minor=9)
    early = intended - timedelta(seconds=6)
    world.orders[ORDER] = replace(order, amount_minor=1, received_at=early)
    world.orders = dict(reversed(world.orders.items()))
    content = f"('simbank', {PAID}, 'CNY', 'merchant-1', 'M-L1')"
    assert found(world.compared()) == [
        ("no_intent", "X", "the bank has an order that the books do not know", 9),
        ("no_intent", ORDER, f"the bank has another content than the intent {content}", 1),
        ("no_intent", ORDER, "the bank had it before the books intended it", 1),
    ]


@pytest.mark.parametrize(
    "fields", [{"currency": "EUR"}, {"merchant_id": "m"}, {"mandate_ref": "n"}, {"rail": "other"}]
)
def test_rail_currency_merchant_and_mandate_are_content_as_well(
    world: World, fields: dict[str, str]
) -> None:
    """The same amount under another mandate, or in another rail's log, is another order."""
    world.orders[ORDER] = replace(world.orders[ORDER], **fields)  # type: ignore[arg-type]
    assert [item.kind for item in world.compared().findings] == [FindingKind.NO_INTENT]


def test_clocks_may_differ_by_five_seconds(world: World) -> None:
    """Two programs with one clock still read it at different moments."""
    intended = world.books.item().attempts[0].intended_at
    at = intended - timedelta(seconds=5)
    world.orders[ORDER] = replace(world.orders[ORDER], received_at=at)
    assert world.compared().clean


def test_a_payment_lost_by_one_unit_is_reported_though_its_fee_is_still_to_come() -> None:
    """The books have 100.99 of 101.00; a fee on a statement of tomorrow keeps nothing open."""
    world, attempt = presented()
    ref = world.execute(attempt)
    world.confirm(attempt, ref, attempt.amount_minor - 1)
    world.line(attempt.amount_minor - 1, attempt.order_no)
    world.move(ref, -30, attempt.order_no, "fee", None)
    reported = [line for line in found(world.compared()) if line[0] == "lost_payment"]
    text = "the bank took this and the books do not have it"
    assert reported == [("lost_payment", f"L1/1 {ORDER}", text, 1)]


def test_what_is_not_on_a_statement_yet_is_open_whatever_the_bank_booked_before() -> None:
    """A stranger's credit stands first in the log."""
    world, attempt = presented()
    world.move("BK-S", 500, None, "credit", None)
    world.execute(attempt, statement=None)
    ended = world.books.at
    change(
        world,
        attempts=(replace(attempt, state=AttemptState.NOT_EXECUTED, ended_at=ended),),
    )
    assert found(world.compared()) == []


def test_lost_payments_are_reported_after_open_ones_too(world: World) -> None:
    """The first attempt is still asked about, the second is lost, the third has too much."""
    executed = world.orders[ORDER].executions
    item = tried(
        world,
        {"state": AttemptState.UNKNOWN, "ended_at": None},
        {"state": AttemptState.NOT_EXECUTED},
        {"state": AttemptState.DECLINED},
    )
    world.postings = [
        replace(p, order_no="N3" if p.order_no == ORDER else p.order_no) for p in world.postings
    ]
    world.orders = {
        a.order_no: replace(
            world.orders.get(
                a.order_no, world.orders.get(ORDER, next(iter(world.orders.values())))
            ),
            order_no=a.order_no,
            executions=executed if a.number < 3 else (),
        )
        for a in item.attempts
    }
    reported = [line for line in found(world.compared()) if line[1].startswith("L1/1 N")]
    assert [line for line in reported if line[0] in {"lost_payment", "unexplained"}] == [
        ("lost_payment", "L1/1 N2", "the bank took this and the books do not have it", PAID),
        (
            *("unexplained", "L1/1 N3"),
            "the books have money of this order that the bank has not",
            PAID,
        ),
    ]


def test_an_installment_closed_on_money_that_went_back_in_silence_is_reported(
    world: World,
) -> None:
    """The order brought nothing that is still there; another that is closed lacks no order."""
    world.move("BK-1", -PAID, ORDER, "return", None)
    change(world, 2, state=State.CLOSED)
    reported = [line for line in found(world.compared()) if line[0] == "closed_not_paid"]
    assert reported == [("closed_not_paid", "L1/1", f"order {ORDER} brought less", PAID)]


def test_bank_lines_are_compared_one_by_one(world: World) -> None:
    """Three of 5.00 at the bank and one in the books are two that lack; signs do not cancel."""
    for number in range(3):
        world.move(f"BK-{number}", 500, None, "credit", "S5")
    world.line(500, None, statement="S5")
    world.line(-20, None, statement="S5", name="2")
    there, here = "the bank booked it, the books did not", "the books have it, the bank does not"
    name = f"{ACCOUNT}/{booking_day('S5')}"
    assert found(world.compared()) == [
        ("unexplained", name, there, 500),
        ("unexplained", name, there, 500),
        ("unexplained", name, here, 20),
    ]


def test_equal_lines_of_one_statement_are_as_many_as_they_are(world: World) -> None:
    """Two credits of 5.00 at the bank, two in the books, each with its case: nothing lacks."""
    for number in range(2):
        world.move(f"BK-{number}", 500, None, "credit", "S5")
        world.line(500, None, statement="S5", name=str(number))
    assert found(world.compared()) == []


@pytest.mark.parametrize(
    ("hour", "minute", "reported"),
    [
        (23, 59, "sent at 07:59, allowed 08:00 to 21:00"),
        (0, 0, None),
        (12, 59, None),
        (13, 0, "sent at 21:00, allowed 08:00 to 21:00"),
    ],
)
def test_hours_begin_with_their_first_minute_and_end_before_their_last(
    world: World, hour: int, minute: int, reported: str | None
) -> None:
    """From 08:00 to 21:00 in Shanghai, which is eight hours ahead of UTC."""
    at = datetime(2026, 3, 7, hour, minute, tzinfo=UTC)
    stray = TruthNotice("stray", "sms", at)
    world.notices = [stray, replace(world.notices[0], received_at=at)]
    unknown = "a provider has a message that the books do not know"
    wanted = [("contact", "stray", unknown, 0)]
    if reported:
        wanted.append(("contact", "N-L1-1-g1-0-0", reported, 0))
    assert found(world.compared()) == wanted
