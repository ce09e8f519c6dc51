"""The story of a loan: plain sentences with amounts and dates, in order, and what comes next."""

import ast
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.kernel.view import Action
from domain.ledger.entry import Posting
from domain.loan.aggregate import Loan
from domain.loan.lifecycle import Event, State
from domain.loan.view import ActionKind
from domain.registry import HANDLERS
from domain.story import english
from domain.story.events import Effect, LeftNothing, Moved, Posted, RefusedBy, StoryEvent
from domain.story.standing import coming, heading, standing, waiting
from domain.story.words import SILENT, in_words, runs, sentence_of
from tests.support.auditbench import World, paid_and_closed
from tests.support.tree import ROOT

AT = datetime(2026, 3, 10, 1, 30, tzinfo=UTC)


def test_every_command_has_words_of_its_own() -> None:
    """What can be decided is named in stories, and nothing is named that cannot be decided."""
    kinds = {item.default for of in HANDLERS for item in fields(of) if item.name == "kind"}
    assert kinds == set(english.COMMANDS)


_PART = re.compile(r"(Dr|Cr) (\S+) ([0-9.]+) ([A-Z]{3})")
_MOVED = re.compile(r"(?:order (\S+): )?(\S*) -> (\S+)(?: \((.*)\))?")


def effect(what: str, detail: str, number: int | None = 1) -> Effect:
    """Give an effect that is written as accountants would: a move, an entry, or a refusal."""
    if moved := _MOVED.fullmatch(detail):
        order_no, source, target, more = (text or "" for text in moved.groups())
        return Moved(1, what, number, source, target, more, order_no)
    if detail.startswith("refused by "):
        rule, why = detail.removeprefix("refused by ").split(": ")
        return RefusedBy(number, rule, why)
    day, _, parts = detail.removeprefix("value ").partition(": ")
    postings = tuple(
        Posting(account, int(Decimal(amount) * 100) * (1 if side == "Dr" else -1), currency)
        for side, account, amount, currency in _PART.findall(parts)
    )
    return Posted(1, what, number, date.fromisoformat(day), postings)


def event(*effects: Effect, **more: Any) -> StoryEvent:
    """Give an event as the queries give it."""
    at = StoryEvent(1, AT, "driver/installment", "", "", "entry", "", effects)
    return replace(at, **more)


def line(what: str, detail: str, number: int | None = 1) -> StoryEvent:
    """Give an event with one effect."""
    return event(effect(what, detail, number))


def reported(loan: Loan, told: Iterable[StoryEvent]) -> list[str]:
    """Give the lines that people read."""
    zone = ZoneInfo(loan.product.timezone)
    return [text for one in runs(in_words(told, zone, loan.currency)) for text in one.lines()]


@pytest.mark.parametrize(
    ("what", "detail", "said"),
    [
        (
            "fell_due",
            (
                "value 2026-03-10: Dr owed/L1/1/principal 100.00 CNY; "
                "Dr owed/L1/1/interest 1.00 CNY; "
                "Cr claim/funder-1 100.00 CNY; Cr claim/funder-1 1.00 CNY"
            ),
            "fell due: 101.00 CNY is owed",
        ),
        (
            "confirmed",
            (
                "value 2026-03-10: Dr clearing/simbank 111.00 CNY; "
                "Cr owed/L1/1/principal 101.00 CNY; "
                "Cr suspense/R-1 10.00 CNY"
            ),
            (
                "the rail reports 111.00 CNY taken, 101.00 CNY of what was owed is paid, "
                "10.00 CNY waits"
            ),
        ),
        (
            "settled",
            "value 2026-03-11: Dr bank/A 101.00 CNY; Cr clearing/simbank 101.00 CNY",
            "the bank's statement proves 101.00 CNY on the account",
        ),
        (
            "withdrawn",
            (
                "value 2026-03-11: Cr clearing/transfer 101.00 CNY; "
                "Dr owed/L1/1/principal 60.00 CNY; Dr advance/L1 41.00 CNY"
            ),
            "a reported payment of 101.00 CNY was withdrawn as an error; 60.00 CNY is owed again",
        ),
        (
            "withdrawn",
            "value 2026-03-11: Cr clearing/transfer 101.00 CNY; Dr advance/L1 101.00 CNY",
            "a reported payment of 101.00 CNY was withdrawn as an error",
        ),
        ("direct_settlement", "value 2026-03-11: Dr payable/f 1.00 CNY; Cr held_by/f 1.00 CNY", ""),
        ("fell_due", "SCHEDULED -> DUE", ""),
        (
            "debit_intended",
            "DUE -> PRESENTED (order N1)",
            "a debit is ordered [PRESENTED] (order N1)",
        ),
        (
            "attempt",
            "order N1:  -> INTENDED (10100 due 2026-03-10)",
            "order N1: intended (101.00 CNY due 2026-03-10)",
        ),
        ("paid_in_part", "DUE -> DUE (payment R)", "paid in part (payment R)"),
        (
            "attempt_declined",
            "order N1: INTENDED -> DECLINED (NSF 64)",
            "order N1: declined (NSF 64)",
        ),
        ("unheard_of", "DUE -> DUE", "unheard of"),
        ("boarded", " -> SCHEDULED (2026-03-10)", "boarded [SCHEDULED] (2026-03-10)"),
        ("notice_failed", "queued -> failed (sms)", "the reminder did not arrive (sms)"),
        ("sent_again", "order N1: INTENDED -> INTENDED", "order N1 was sent again"),
        ("put_in_file", "order N1: INTENDED -> INTENDED (F-7)", "order N1 was put in file F-7"),
        ("held", "DUE -> DUE (all fraud check)", "put on hold (all fraud check)"),
        (
            "attempt_ended_finally",
            "PRESENTED -> DELINQUENT (paid in part; plan.attempts: none is left)",
            (
                "the debit took a part; a machine may not try the rest again [DELINQUENT] "
                "(paid in part; plan.attempts: none is left)"
            ),
        ),
        (
            "attempt_ended_retryable",
            "PRESENTED -> RETRYING (paid in part)",
            "the debit took a part; the rest will be tried again [RETRYING] (paid in part)",
        ),
        ("waive", "refused by waive.state: not DUE", "refused by rule waive.state: not DUE"),
        (
            "confirmed_late",
            "value 2026-03-11: Dr clearing/simbank 9.00 CNY; Cr suspense/R-1#2 9.00 CNY",
            "9.00 CNY came by an order that had ended already, 9.00 CNY waits",
        ),
    ],
)
def test_each_line_becomes_a_sentence_or_is_reported_by_another(
    what: str, detail: str, said: str
) -> None:
    """Amounts are the totals of the entry's postings; what the machine alone needs is left out."""
    [one] = line(what, detail).effects
    assert sentence_of(one, line(what, detail), "CNY") == said


def test_an_entry_without_words_of_its_own_is_called_by_its_name() -> None:
    """A later build may know more of them."""
    unknown = line("new_thing", "value 2026-03-11: Dr bank/A 1.00 CNY; Cr clearing/s 1.00 CNY")
    assert sentence_of(unknown.effects[0], unknown, "CNY") == "new thing"


@pytest.fixture
def world() -> World:
    """Give a world in which one installment went from reminder to closure."""
    return paid_and_closed()


def loan_of(world: World) -> Loan:
    """Give the loan of that world."""
    return world.books.loans["L1"]


def given(kind: str, number: int | None = 1, note: str = "", **more: Any) -> StoryEvent:
    """Give a command that left neither a move nor an entry."""
    nothing = event(LeftNothing(number, note), actor="operator/anna", command=kind)
    return replace(nothing, **{"command_id": "W-1", **more})


def test_times_are_those_of_the_product_with_their_offset(world: World) -> None:
    """Half past one UTC is half past nine in Shanghai, where the borrower lives."""
    lines = [given("hold", None), given("roll_day", command_id="D")]
    assert list(reported(loan_of(world), lines)) == [
        "2026-03-10 09:30+08:00  hold ordered, by operator/anna (id W-1)",
        "    nothing changed",
    ]


def test_an_override_says_who_approved_it_under_which_id_and_why(world: World) -> None:
    """Actor, approver, id and reason stand on the line of the command, before its effects."""
    forgiven = replace(
        line("waived", "value 2026-03-10: Cr owed/L1/1/penalty 2.00 CNY; Dr forgiven/f/w 2.00 CNY"),
        actor="operator/anna",
        command="waive",
        command_id="W-1",
        approver="operator/ben",
        reason="courtesy",
    )
    assert list(reported(loan_of(world), [forgiven])) == [
        (
            "2026-03-10 09:30+08:00  #1 waiver ordered, by operator/anna, approved by operator/ben "
            "(id W-1): courtesy"
        ),
        "    2.00 CNY was forgiven",
    ]


def test_effects_of_one_command_name_their_installments_where_they_differ(world: World) -> None:
    """A transfer that pays two installments is one event; each effect says which one."""
    paid = event(
        *(effect("paid_in_full", "DUE -> CLEARING", number) for number in (1, 2)),
        command_id="P-1",
        command="x_y",
    )
    assert list(reported(loan_of(world), [paid])) == [
        "2026-03-10 09:30+08:00  x y, by driver/installment (id P-1)",
        "    #1 paid in full [CLEARING]",
        "    #2 paid in full [CLEARING]",
    ]


def test_money_is_reported_with_its_payment_and_bank_line(world: World) -> None:
    """Whoever reads can follow the money: `acquit trail` takes both names."""
    posted = effect("settled", "value 2026-03-11: Dr bank/A 1.00 CNY; Cr clearing/s 1.00 CNY")
    assert isinstance(posted, Posted)
    named = tuple(replace(one, payment="R-1", line="A/S/1") for one in posted.postings)
    proven = event(replace(posted, postings=named))
    reported_lines = list(reported(loan_of(world), [proven]))
    assert reported_lines[-1].endswith("(payment R-1, bank line A/S/1)")


def test_heading_and_standing_say_amounts_and_no_person(world: World) -> None:
    """What it is, how it stands; the borrower is not named."""
    loan = loan_of(world)
    assert heading(loan) == (
        "Loan L1 (t1): 300.00 CNY disbursed on 2026-02-10, 3 installments, product test@1"
    )
    assert standing(loan, loan.installment(1)) == (
        "#1 due 2026-03-10: 101.00 CNY, CLOSED, owed 0.00, 1 attempt"
    )
    assert loan.borrower not in heading(loan)


def test_what_comes_next_is_an_action_news_or_nothing(world: World) -> None:
    """A closed installment has nothing to come; another its next action, or what it waits for."""
    loan, view = loan_of(world), world.books.view(2)
    assert coming(loan, world.books.view(1)) == "nothing: the evidence is complete"
    assert coming(loan, None) == "nothing: the evidence is complete"
    action = Action(ActionKind.PRESENT, AT, "due 2026-04-10", "present/2/1")
    assert coming(loan, replace(view, next_action=action)) == (
        "present at 2026-03-10 09:30+08:00 (due 2026-04-10)"
    )
    still = replace(view, next_action=None, missing=("owed", "of_a_later_release"))
    assert coming(loan, still) == (
        "waiting for news; missing: money that is still owed (owed), of_a_later_release"
    )
    gone = replace(view, next_action=None, state=State.CANCELLED, is_final=True)
    assert coming(loan, gone) == "nothing: it is cancelled"


def test_what_waits_for_a_person_says_how_much_and_since_when() -> None:
    """An open case is reported with its kind, its money if it has any, its time and its text."""
    case = Case("s/1", CaseKind.SURPLUS, "too much", "L1", 1, "R-1", None, 900, "CNY", opened_at=AT)
    zone = ZoneInfo("Asia/Shanghai")
    assert waiting(case, zone) == ("surplus, 9.00 CNY, since 2026-03-10 09:30+08:00: too much")
    bare = replace(case, amount_minor=0, currency="")
    assert waiting(bare, zone) == "surplus, since 2026-03-10 09:30+08:00: too much"
    assert waiting(replace(bare, opened_at=None), zone) == "surplus: too much"


@pytest.mark.parametrize(
    ("command_id", "what"),
    [
        ("outcome/N1/answer/5/ab", "the rail's answer"),
        ("outcome/N1/inquiry/inquire/N1/0/9.0.1/ab", "the rail was asked"),
        ("report/simbank/answer", "the rail reported an outcome"),
    ],
)
def test_an_outcome_says_who_spoke_first(world: World, command_id: str, what: str) -> None:
    """What we asked for is not shown as a report; an answer is shown though it changed nothing."""
    asked = given("record_outcome", note="not_found", command_id=command_id, reason="34")
    [head, effect] = reported(loan_of(world), [replace(asked, actor="workflow/installment")])
    assert head == f"2026-03-10 09:30+08:00  #1 {what}, by workflow/installment"
    assert effect == "    nothing new: not found (34)"


def penalty(day: int, amount: str, number: int = 1) -> StoryEvent:
    """Give the penalty of one day, as a sweep books it."""
    detail = f"value 2026-03-{day}: Dr owed/L1/1/penalty {amount} CNY; Cr claim/f {amount} CNY"
    booked = line("penalty_accrued", detail, number)
    booked = replace(booked, at=AT.replace(day=day), actor="system/sweep")
    return replace(booked, command="roll_day", command_id=f"roll/{day}")


def test_a_run_of_alike_is_reported_once_with_its_sum(world: World) -> None:
    """Weeks of penalty and of needless inquiries are a line each; other news ends the run."""
    days = [penalty(12, "1.00"), penalty(13, "1.05"), penalty(14, "0.95")]
    other = replace(line("paid_in_part", "DUE -> DUE"), command_id="P", command="record_payment")
    assert reported(loan_of(world), [*days, other, penalty(16, "2.00")]) == [
        (
            "2026-03-12 09:30+08:00 to 2026-03-14 09:30+08:00  #1 a new day began, 3 times, "
            "by system/sweep"
        ),
        "    penalty of 3.00 CNY was added in all",
        "2026-03-10 09:30+08:00  #1 payment recorded, by driver/installment (id P)",
        "    paid in part",
        "2026-03-16 09:30+08:00  #1 a new day began, by system/sweep",
        "    penalty of 2.00 CNY was added",
    ]


def test_what_people_and_rails_did_is_never_reported_in_a_run(world: World) -> None:
    """Each has an id and a reason of its own; nor is the penalty of two installments one."""
    holds = [given("hold", command_id=name) for name in ("H-1", "H-2")]
    assert len(reported(loan_of(world), holds)) == 4
    apart = [penalty(12, "1.00"), penalty(13, "1.00", number=2)]
    assert len(reported(loan_of(world), apart)) == 4
    lines = [
        replace(
            line("settled", "value 2026-03-11: Dr bank/A 1.00 CNY; Cr clearing/simbank 1.00 CNY"),
            actor="system/statement",
            command_id=name,
        )
        for name in ("L-1", "L-2")
    ]
    assert len(reported(loan_of(world), lines)) == 4


def events_of_the_domain() -> set[str]:
    """Give every event that the books can write about a loan: what is passed as `event`."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8"))
        for folder in ("loan", "loan/decide")
        for path in (ROOT / "domain" / folder).glob("*.py")
    ]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    place: dict[str, int] = {}
    found: list[ast.expr | None] = []
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            names = [arg.arg for arg in node.args.args]
            if "event" in names:
                place[node.name] = names.index("event") - (names[0] == "self")
                found += node.args.defaults
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "event":
            found.append(node.value)
    for node in nodes:
        if isinstance(node, ast.Call):
            at = place.get(ast.unparse(node.func).rpartition(".")[2])
            if at is not None:
                found += node.args[at : at + 1]
                found += [item.value for item in node.keywords if item.arg == "event"]
    plain = [value for value in found if isinstance(value, ast.Constant | ast.IfExp)]
    texts = [
        item.value for value in plain for item in ast.walk(value) if isinstance(item, ast.Constant)
    ]
    return {text for text in texts if isinstance(text, str) and text} | set(Event)


def test_every_event_has_a_sentence_of_its_own() -> None:
    """Nothing is shown by a name of the machine; lines and fees without a loan are in no story."""
    known = {*english.ENTRIES, *english.MOVES, *SILENT, "attempt", "sent_again"}
    found = events_of_the_domain()
    assert {"fell_due", "confirmed_late", "returned", "order_found", "held"} <= found
    assert found - known == {"unmatched_line", "rail_fee"}


def test_all_that_closure_can_lack_has_words() -> None:
    """Whoever reads what is missing need not know the codes."""
    text = (ROOT / "domain" / "loan" / "closure.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'lack\("(\w+)"|Gate\.CLOSE, "(\w+)"|code = "(\w+)"|else "(\w+)"', text))
    assert {code for found in codes for code in found if code} == set(english.LACKS)
