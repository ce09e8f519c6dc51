"""What an auditor reads: every finding in full, and all of them where there are several."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.audit import AuditReport, ChainFact, TruthNotice, audit
from domain.audit.findings import Finding, FindingKind
from domain.debit.attempt import Attempt, AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.aggregate import Installment, Loan
from domain.loan.lifecycle import State
from domain.loan.product import Payee, Routing
from domain.pricing.amounts import Amounts
from tests.support.auditbench import ACCOUNT, World, booking_day, paid_and_closed
from tests.support.memory import board

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


def test_the_report_has_the_names_that_other_programs_read(world: World) -> None:
    """Every name and every figure, with one finding in it."""
    world.notices.append(TruthNotice("stray", "sms", world.books.at))
    report = world.audit()
    text = "a provider has a message that the books do not know"
    assert report.as_dict() == {
        "loans": 1,
        "installments": {"CLOSED": 1, "SCHEDULED": 2},
        "attempts": {"SUCCESS": 1},
        "receipts": 1,
        "returns": 0,
        "reminders": 1,
        "double_debits": 0,
        "lost_payments": 0,
        "closed_not_paid": 0,
        "paid_not_closed": 0,
        "unexplained_minor": 0,
        "ledger": {
            "entries": world.entries,
            "postings": len(world.postings),
            "balanced": True,
            "chain_ok": True,
            "head": "0" * 64,
        },
        "open_attempts": 0,
        "open_cases": {},
        "suspense": {},
        "closing": 0,
        "posts": 1,
        "findings": [
            {"kind": "contact", "subject": "stray", "text": text, "minor": 0, "currency": ""}
        ],
        "clean": False,
    }


def test_the_report_counts_each_kind_under_its_own_name(world: World) -> None:
    """One finding of the first kind, two of the second and so on: no two counts are alike."""
    kinds = (
        *[FindingKind.DOUBLE_DEBIT] * 1,
        *[FindingKind.LOST_PAYMENT] * 2,
        *[FindingKind.CLOSED_NOT_PAID] * 3,
        *[FindingKind.UNEXPLAINED] * 4,
    )
    findings = tuple(Finding(kind, "L1/1", "", 5) for kind in kinds)
    shown = replace(world.audit(), findings=findings, paid_not_closed=7).as_dict()
    assert [shown["double_debits"], shown["lost_payments"], shown["closed_not_paid"]] == [1, 2, 3]
    assert [shown["unexplained_minor"], shown["paid_not_closed"]] == [20, 7]


def test_each_order_sent_too_early_is_reported_with_the_order_before_it(world: World) -> None:
    """Three intended at once are two findings, each with the amount of the later one."""
    at = world.books.item().attempts[0].intended_at
    ended = at + timedelta(hours=1)
    tried(
        world,
        {"intended_at": at, "ended_at": ended},
        {"intended_at": ended - timedelta(seconds=1), "ended_at": None, "amount_minor": 7},
        {"intended_at": ended, "ended_at": None, "amount_minor": 8},
    )
    reported = [line for line in found(world.audit()) if line[0] == "double_debit"]
    assert reported == [
        ("double_debit", "L1/1 N2", "intended while N1 lacked a final outcome in the books", 7),
        ("double_debit", "L1/1 N3", "intended while N2 lacked a final outcome in the books", 8),
    ]


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
    reported = [line for line in found(world.audit()) if line[0] == "double_debit"]
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
    assert world.audit().count(FindingKind.DOUBLE_DEBIT) == 0


def test_a_posting_too_much_is_reported_from_every_side(world: World) -> None:
    """One unit more allocated: owed below zero, closed wrongly, unbalanced, accounts differ."""
    paid = next(p for p in world.postings if p.account.startswith("owed/") and p.minor < 0)
    world.postings.append(replace(paid, seq=99, minor=-1))
    assert found(world.audit()) == [
        ("double_debit", "L1/1", "more was allocated than was charged", 1),
        ("closed_not_paid", "L1/1", "closed and still owed", -1),
        ("closed_not_paid", "L1/1", f"order {ORDER} brought less", 1),
        ("unbalanced", "entry 99", "postings do not sum to zero", -1),
        ("items_differ", "L1/1/interest", "owed is -1 in the journal and 0 by its part", -1),
    ]


def test_a_surplus_of_one_unit_without_a_case_is_reported(world: World) -> None:
    """The smallest amount that can wait; with its case it is an answer."""
    attempt = world.books.item().attempts[0]
    world.to(date(2026, 3, 17), 1)
    ref = world.execute(attempt, 1, statement="S4")
    world.line(1, attempt.order_no, statement="S4", ref=ref)
    assert found(world.audit()) == []
    world.books.cases.clear()
    surplus = ("double_debit", f"R-{ORDER}-2", "a surplus waits and no case says so", 1)
    assert found(world.audit()) == [surplus]


def test_every_order_without_its_intent_is_reported(world: World) -> None:
    """A stranger, another content, and one that came before it was intended."""
    order = world.orders[ORDER]
    intended = world.books.item().attempts[0].intended_at
    world.orders["X"] = replace(order, order_no="X", executions=(), amount_minor=9)
    early = intended - timedelta(seconds=6)
    world.orders[ORDER] = replace(order, amount_minor=1, received_at=early)
    world.orders = dict(reversed(world.orders.items()))
    content = f"('simbank', {PAID}, 'CNY', 'merchant-1', 'M-L1')"
    assert found(world.audit()) == [
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
    assert [item.kind for item in world.audit().findings] == [FindingKind.NO_INTENT]


def test_clocks_may_differ_by_five_seconds(world: World) -> None:
    """Two programs with one clock still read it at different moments."""
    intended = world.books.item().attempts[0].intended_at
    at = intended - timedelta(seconds=5)
    world.orders[ORDER] = replace(world.orders[ORDER], received_at=at)
    assert world.audit().clean


def test_a_payment_lost_by_one_unit_is_reported_though_its_fee_is_still_to_come() -> None:
    """The books have 100.99 of 101.00; a fee on a statement of tomorrow keeps nothing open."""
    world, attempt = presented()
    ref = world.execute(attempt)
    world.confirm(attempt, ref, attempt.amount_minor - 1)
    world.line(attempt.amount_minor - 1, attempt.order_no)
    world.move(ref, -30, attempt.order_no, "fee", None)
    reported = [line for line in found(world.audit()) if line[0] == "lost_payment"]
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
    assert found(world.audit()) == []


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
    reported = [line for line in found(world.audit()) if line[1].startswith("L1/1 N")]
    assert [line for line in reported if line[0] in {"lost_payment", "unexplained"}] == [
        ("lost_payment", "L1/1 N2", "the bank took this and the books do not have it", PAID),
        (
            *("unexplained", "L1/1 N3"),
            "the books have money of this order that the bank has not",
            PAID,
        ),
    ]


def test_every_installment_closed_wrongly_is_reported(world: World) -> None:
    """Returned in silence; never charged; and one whose receipt is not proven."""
    world.move("BK-1", -PAID, ORDER, "return", None)
    change(world, 2, state=State.CLOSED)
    receipt = next(p for p in world.postings if p.receipt)
    world.postings += [
        replace(receipt, seq=90, account="clearing/simbank", minor=4, line=None),
        replace(receipt, seq=90, account="suspense/simbank", minor=-4, line=None),
    ]
    reported = [line for line in found(world.audit()) if line[0] == "closed_not_paid"]
    unproven = f"receipt {receipt.receipt} is not proven at the bank"
    assert reported == [
        ("closed_not_paid", "L1/1", unproven, 4),
        ("closed_not_paid", "L1/1", f"order {ORDER} brought less", PAID),
        ("closed_not_paid", "L1/2", "closed and never charged", PAID),
    ]


def test_what_is_paid_and_not_closed_is_reported_with_its_age() -> None:
    """Late by the product's deadlines: 2 x (settlement + return window) days and ten more."""
    world, attempt = presented()
    world.confirm(attempt, world.execute(attempt))
    world.line(attempt.amount_minor, attempt.order_no)
    paid_at, rules = world.books.at, world.books.loans["L1"].product.closure
    days = 2 * (rules.settlement_banking_days + rules.return_window_banking_days) + 10
    world.books.at = paid_at + timedelta(days=days)
    assert (world.audit().closing, world.audit().paid_not_closed) == (1, 0)
    world.books.at += timedelta(seconds=1)
    report = world.audit()
    assert (report.closing, report.paid_not_closed) == (0, 1)
    text = f"SETTLED for {days} days after the last money"
    assert found(report) == [("paid_not_closed", "L1/1", text, PAID)]


def test_bank_lines_are_compared_one_by_one(world: World) -> None:
    """Three of 5.00 at the bank and one in the books are two that lack; signs do not cancel."""
    for number in range(3):
        world.move(f"BK-{number}", 500, None, "credit", "S5")
    world.line(500, None, statement="S5")
    world.line(-20, None, statement="S5", name="2")
    there, here = "the bank booked it, the books did not", "the books have it, the bank does not"
    name = f"{ACCOUNT}/{booking_day('S5')}"
    assert found(world.audit()) == [
        ("unexplained", name, there, 500),
        ("unexplained", name, there, 500),
        ("unexplained", name, here, 20),
    ]
    world.books.cases.clear()
    waits = "a line waits in suspense and no case says so"
    assert found(world.audit())[3:] == [
        ("unexplained", f"{name}/1", waits, 500),
        ("unexplained", f"{name}/2", waits, 20),
    ]


def test_equal_lines_of_one_statement_are_as_many_as_they_are(world: World) -> None:
    """Two credits of 5.00 at the bank, two in the books, each with its case: nothing lacks."""
    for number in range(2):
        world.move(f"BK-{number}", 500, None, "credit", "S5")
        world.line(500, None, statement="S5", name=str(number))
    assert found(world.audit()) == []


@pytest.mark.parametrize(
    ("field", "account"),
    [
        ("owed", "owed"),
        ("forgiven", "forgiven"),
        ("written_off", "written_off"),
        ("subrogated", "subrogated"),
    ],
)
def test_each_amount_of_an_installment_is_reported_by_its_account(
    world: World, field: str, account: str
) -> None:
    """By component, and with what the difference is; what was allocated is compared as well."""
    change(world, 1, **{field: Amounts(interest=1)})
    reported = f"{account} is 0 in the journal and 1 by its part"
    assert ("items_differ", "L1/1/interest", reported, -1) in found(world.audit())


@pytest.mark.parametrize(
    ("fields", "account", "sign"),
    [
        ({"settled_minor": 10101}, "clearing", -1),
        ({"waiting_minor": 1}, "suspense", -1),
        ({"advance_minor": 1}, "advance", -1),
        ({"proven_on": ((ACCOUNT, 10099),)}, "held_by", 1),
    ],
)
def test_each_amount_of_a_receipt_is_reported_by_its_account(
    world: World, fields: dict[str, Any], account: str, sign: int
) -> None:
    """An amount changed by one unit moves its own account, and with `held` the payable."""
    loan = world.books.loans["L1"]
    (receipt,) = loan.receipts
    world.put(replace(loan, receipts=(replace(receipt, **fields),)))
    should = {p[1]: p for p in found(world.audit())}[receipt.id]
    now = sum(
        p.minor for p in world.postings if p.receipt and p.account.partition("/")[0] == account
    )
    text = f"{account} is {now} in the journal and {now + sign} by its receipt"
    assert should == ("items_differ", receipt.id, text, -sign)
    payable = ("items_differ", "L1", "payable is 0 in the journal and -1 by what was allocated", 1)
    assert (payable in found(world.audit())) == (account == "held_by")


def test_accounts_that_no_aggregate_knows_are_reported_too(world: World) -> None:
    """Postings of a loan that the books do not hold: its parts, its receipts, what is payable."""
    usual = replace(world.postings[0], seq=80, loan="L9", number=4, component="fee", receipt="R9")
    for account, minor in (("owed/L9", 3), ("clearing/simbank", 4), ("payable/b", -7)):
        world.postings.append(replace(usual, account=account, minor=minor))
    reported = [line for line in found(world.audit()) if line[0] == "items_differ"]
    assert reported == [
        ("items_differ", "R9", "clearing is 4 in the journal and 0 by its receipt", 4),
        ("items_differ", "L9/4/fee", "owed is 3 in the journal and 0 by its part", 3),
        ("items_differ", "L9", "payable is -7 in the journal and 0 by what was allocated", -7),
    ]


def test_a_loan_whose_postings_are_all_gone_is_reported() -> None:
    """The aggregate says that something was collected, and the journal does not have it."""
    world = World()
    world.board()
    change(world, scheduled=Amounts(), owed=Amounts(fee=-2))
    payable = "payable is 0 in the journal and -2 by what was allocated"
    assert ("items_differ", "L1", payable, 2) in found(world.audit())


def test_faults_of_the_chain_and_what_it_does_not_count_are_reported(world: World) -> None:
    """Each fault in its own words; a journal of which one posting is not hashed."""
    facts = world.facts()
    count = len(world.postings)
    chain = ChainFact(facts.chain.entries, count - 1, "0" * 64, ("one", "two"))
    assert found(audit(replace(facts, chain=chain), world.truth())) == [
        ("chain", "journal", "one", 0),
        ("chain", "journal", "two", 0),
        ("chain", "journal", f"{count} postings read, {count - 1} in the chain", 0),
    ]


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
    assert found(world.audit()) == wanted


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_message_queued_with_the_payment_is_in_order_and_later_is_not(
    world: World, seconds: int
) -> None:
    """The books order both in one instant; a second later they knew."""
    paid = max(p.at for p in world.postings if p.account.startswith("owed/") and p.minor < 0)
    queued = paid + timedelta(seconds=seconds)
    item = world.books.item()
    change(world, notices=tuple(replace(n, queued_at=queued) for n in item.notices))
    text = "queued after the payment was known"
    assert found(world.audit()) == [("contact", "N-L1-1-g1-0-0", text, 0)] * seconds


def test_each_limit_of_attempts_is_reported_in_its_own_words(world: World) -> None:
    """More than the mandate allows, more on one day than the rail, and after a closed account."""
    at = world.books.item().attempts[0].intended_at
    failed: dict[str, Any] = {
        "state": AttemptState.DECLINED,
        "outcome_class": OutcomeClass.NSF,
        "code": "51",
    }
    closed = {**failed, "outcome_class": OutcomeClass.ACCOUNT, "code": "14"}
    gone = {**failed, "state": AttemptState.NOT_EXECUTED}
    tried(world, failed, closed, gone, failed, {**failed, "intended_at": at + timedelta(days=2)})
    loan = world.books.loans["L1"]
    world.put(replace(loan, mandate=replace(loan.mandate, attempts_max=3)))
    reported = [line for line in found(world.audit()) if line[0] == "attempts"]
    assert reported == [
        ("attempts", "L1/1", "3 attempts on 2026-03-10, 2 allowed", 0),
        ("attempts", "L1/1", "4 attempts, 3 allowed", 0),
        ("attempts", "L1/1", "presented again after ACCOUNT (14)", 0),
    ]


def test_two_loans_are_audited_each_for_itself(world: World) -> None:
    """The faults of the second do not hide behind a first that is in order."""
    second = board("L2")
    world.board(second)
    loan = world.books.loans["L2"]
    first = replace(loan.installments[0], state=State.CLOSED, forgiven=Amounts(fee=2))
    world.put(replace(loan, installments=(first, *loan.installments[1:])))
    assert found(world.audit()) == [
        ("closed_not_paid", "L2/1", "closed and never charged", PAID),
        ("items_differ", "L2/1/fee", "forgiven is 0 in the journal and 2 by its part", -2),
        ("items_differ", "L2", "payable is 0 in the journal and 2 by what was allocated", -2),
    ]


def test_closed_on_money_of_another_account_is_reported(world: World) -> None:
    """The line's account is compared with the product's, whatever the aggregates say."""
    loan = world.books.loans["L1"]
    payees = (Payee("funder-1", Routing.DIRECT, "ACCT-OTHER"),)
    world.put(replace(loan, product=replace(loan.product, account="ACCT-OTHER", payees=payees)))
    receipt = loan.receipts[0].id
    reported = f"receipt {receipt} lies on {ACCOUNT}"
    assert ("closed_not_paid", "L1/1", reported, 10100) in found(world.audit())


def test_closed_on_a_proof_without_a_bank_line_is_reported(world: World) -> None:
    """A receipt is proven by a line that no bank account has."""
    world.postings = [p for p in world.postings if not p.account.startswith("bank/")]
    receipt = world.books.loans["L1"].receipts[0].id
    reported = ("closed_not_paid", "L1/1", f"receipt {receipt} lies on no account", 10100)
    assert reported in found(world.audit())


def test_a_match_that_was_undone_proves_nothing_on_its_account(world: World) -> None:
    """A line in and out of the receipt leaves nothing on a stranger's account."""
    clearing = next(p for p in world.postings if p.account.startswith("clearing/") and p.line)
    stray = replace(clearing, seq=90, line="STRANGER/S1/1")
    bank = replace(stray, account="bank/STRANGER", receipt=None, order_no=None, minor=0)
    world.postings += [stray, replace(stray, seq=91, minor=-stray.minor), bank]
    assert not [line for line in found(world.audit()) if line[0] == "closed_not_paid"]


def test_closed_before_a_share_has_reached_its_party_is_reported(world: World) -> None:
    """The entry by which the funder holds the cash is gone: its share is still payable."""
    world.postings = [p for p in world.postings if p.event != "direct_settlement"]
    reported = {line[2:] for line in found(world.audit()) if line[0] == "closed_not_paid"}
    assert reported == {
        ("interest of funder-1 has not reached it", 100),
        ("principal of funder-1 has not reached it", 10000),
    }


def test_a_share_taken_from_a_party_that_never_had_it_is_reported(world: World) -> None:
    """One party is due ten and another owes ten: the sum is nothing, both signs are looked at."""
    paid = next(p for p in world.postings if p.account.startswith("payable/"))
    other = replace(paid, seq=90, account="payable/platform", minor=1000)
    world.postings += [other, replace(other, account="payable/insurer", minor=-1000)]
    subject = f"L1/1/{paid.component}"
    reported = ("items_differ", subject, "more than its share was taken from platform", 1000)
    assert reported in found(world.audit())


def test_what_owes_nothing_and_stands_as_if_it_did_is_reported(world: World) -> None:
    """Nothing is owed by the journal, the state says that it is: stuck."""
    for state in (State.DUE, State.RETRYING, State.DELINQUENT):
        change(world, state=state)
        reported = ("stuck", "L1/1", f"{state.value} and nothing is owed", 0)
        assert reported in found(world.audit())
    change(world, state=State.CLOSED)
    assert not [line for line in found(world.audit()) if line[0] == "stuck"]
