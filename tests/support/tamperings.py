"""What somebody with the keys does to the books of `tampered`, and what an audit must find."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Executable, Insert, and_, delete, func, insert, literal, select, update

from adapters.sql.rows import case_row
from adapters.sql.schema.tables import (
    attempts,
    cases,
    commands,
    entries,
    lines,
    loans,
    payable_items,
    payouts,
    portions,
    postings,
    receivable_items,
    statements,
    subjects,
    transitions,
)
from domain.audit import FindingKind
from domain.audit.questions import Question
from domain.case.case import CASE, Case
from domain.case.kinds import CaseKind
from domain.case.lifecycle import CaseEvent, CaseState
from domain.debit.mandate import MANDATE, MandateEvent
from domain.loan.view import INSTALLMENT
from domain.loanclosure.closure import LOAN_CLOSURE
from tests.support.tampered import ACCOUNT, AS_OF, DUE, FULL

P = postings.c
ON_L1 = P.loan == "L1"
PRINCIPAL = and_(ON_L1, P.component == "principal")
EARLY = datetime.combine(DUE, datetime.min.time(), AS_OF.tzinfo)


def of(family: str, *where: Any) -> Any:
    """Postings of a family of accounts."""
    return and_(P.account.startswith(f"{family}/"), *where)


def move(loan_id: str, target: str) -> Any:
    """The moves of a loan's first installment, or of its order, to a state."""
    t = transitions.c
    return and_(t.subject_key == f"{loan_id}/1", t.target == target)


def body(table: Any, old: str, new: str) -> Any:
    """Another body in every row of a table."""
    return update(table).values(body=func.replace(table.c.body, old, new))


def opened(
    kind: CaseKind,
    loan_id: str,
    number: int | None,
    moves: tuple[tuple[int, CaseEvent], ...] = ((0, CaseEvent.OPENED),),
) -> tuple[Executable, ...]:
    """A case with its moves; items of the chain below 1 come before all that is in the books."""
    case = Case(f"planted/{kind}", kind, "planted", loan_id, number, opened_at=EARLY)
    resolved, about = CaseEvent.RESOLVED, {"subject_kind": CASE, "subject_key": case.key}
    journal = {"command_id": "planted", "actor_kind": "test", "actor_id": "t1", "reason": ""}
    rows = [
        {
            **(about | journal),
            "loan_id": loan_id,
            "seq": seq,
            "product": "",
            "at": EARLY,
            "posted_on": DUE,
            "hash": "",
            "source": "" if event is CaseEvent.OPENED else CaseState.OPEN,
            "target": CaseState.RESOLVED if event is resolved else CaseState.OPEN,
            "event": event,
            "detail": "",
        }
        for seq, event in moves
    ]
    return insert(cases).values(case_row(case, EARLY)), insert(transitions).values(rows)


def mandate_ended(ref: str) -> Executable:
    """The move by which a mandate has ended, before all that is in the books."""
    detail = f"{DUE} MD01 webhook"
    return _first_move(MANDATE, ref, "ACTIVE", "ENDED", MandateEvent.ENDED.value, detail)


def mandate_barred(ref: str) -> Executable:
    """The move by which a mandate was barred, before all that is in the books."""
    event, detail = MandateEvent.BARRED.value, "ACCOUNT AC04 of order X"
    return _first_move(MANDATE, ref, "ACTIVE", "ACTIVE", event, detail)


def closure_of(loan_id: str, state: str) -> Executable:
    """What lists show of the closure of a loan that is not being closed."""
    c = subjects.c
    changed = {"kind": literal(LOAN_CLOSURE), "key": c.loan_id, "state": literal(state)}
    columns = [changed.get(column.name, column) for column in c]
    row = select(*columns).where(c.kind == INSTALLMENT, c.key == f"{loan_id}/1")
    return insert(subjects).from_select([column.name for column in c], row)


def refused_for_good(order_no: str) -> Executable:
    """The move by which an order of L1/1 was refused, before all that is in the books."""
    move = _first_move(INSTALLMENT, "L1/1", "ACCEPTED", "DECLINED", "attempt", "ACCOUNT AC04")
    return move.values(loan_id="L1", order_no=order_no)


def _first_move(kind: str, key: str, source: str, target: str, event: str, detail: str) -> Insert:
    return insert(transitions).values(
        subject_kind=kind,
        subject_key=key,
        loan_id="",
        seq=0,
        product="",
        at=EARLY,
        posted_on=DUE,
        hash="",
        source=source,
        target=target,
        event=event,
        detail=detail,
        command_id="planted",
        actor_kind="test",
        actor_id="t1",
        reason="",
    )


PLANTED_PAYOUT = {
    "key": "platform/CNY/K/20260310/1",
    "order_no": "PO1",
    "payee": "platform",
    "currency": "CNY",
    "account": "K",
    "cut_off_on": DUE,
    "number": 1,
    "state": "PAID",
    "minor": 100,
    "items": 1,
    "digest": "",
    "body": "{}",
}
"""A payout that nobody requested: it has no items and no postings."""


@dataclass(frozen=True)
class Tampering:
    """What somebody does to the books, and the finding that it must lead to; texts are patterns."""

    does: tuple[Executable, ...]
    kind: FindingKind
    subject: str
    text: str
    minor: int | None = None
    of: Question | None = None


def breach(
    question: Question, subject: str, text: str, *does: Executable, minor: int | None = None
) -> Tampering:
    """A tampering that breaks what a question asks for."""
    return Tampering(does, question.kind, subject, text, minor, question)


Q, K = Question, FindingKind
_first = of("owed", PRINCIPAL, P.payment.is_(None))
_confirmed = select(entries.c.seq).where(entries.c.event == "confirmed")
_allocated = and_(of("payable", PRINCIPAL, P.minor < 0), P.seq.in_(_confirmed))
_left = select(entries.c.seq).where(entries.c.event == "direct_settlement")
TAMPERINGS: dict[str, Tampering] = {
    "an entry": breach(
        Q.ENTRY,
        r"entry \d+",
        "do not sum to zero",
        update(postings).where(_first).values(minor=P.minor + 1),
        minor=1,
    ),
    "everything": breach(
        Q.TOTAL,
        "all postings",
        "do not sum to zero",
        update(postings).where(_first).values(minor=P.minor + 7),
        minor=7,
    ),
    "clearing": breach(
        Q.CLEARING,
        "L1 R-.*",
        "clearing is 0 in the journal and 5 by its payment",
        update(portions).where(portions.c.loan_id == "L1").values(clearing_minor=5),
        minor=-5,
    ),
    "suspense": breach(
        Q.SUSPENSE,
        "L2 R-.*#2",
        "suspense is 10100 in the journal and 10101 by its payment",
        update(portions).where(portions.c.waiting_minor > 0).values(waiting_minor=10_101),
        minor=-1,
    ),
    "suspense of nobody": breach(
        Q.SUSPENSE,
        "L9 R-9",
        "suspense is 10100 in the journal and 0 by its payment",
        update(postings)
        .where(of("suspense", P.payment.is_not(None)))
        .values(loan="L9", payment="R-9"),
        minor=10_100,
    ),
    "a line's rest": breach(
        Q.LINE,
        f"{ACCOUNT}/S1/4",
        "suspense is 700 in the journal and 701 by its bank line",
        update(lines).where(lines.c.open_minor != 0).values(open_minor=701),
        minor=-1,
    ),
    "advance": breach(
        Q.ADVANCE,
        "L4 P-.*",
        "advance is 4900 in the journal and 4901 by its payment",
        update(portions).where(portions.c.loan_id == "L4").values(amount_minor=15_001),
        minor=-1,
    ),
    "shares": breach(
        Q.SHARES,
        "L1/1/principal",
        "payable is 1 in the journal and 0 by what was allocated",
        update(postings).where(_allocated).values(minor=P.minor - 1),
        minor=1,
    ),
    "a payable item": breach(
        Q.PAYABLE,
        "L1/1/principal platform R-1 clearing/simbank",
        "payable is 0 in the journal and 100 by its item",
        insert(payable_items).values(
            loan_id="L1",
            payment="R-1",
            number=1,
            component="principal",
            party="platform",
            place="clearing/simbank",
            currency="CNY",
            minor=100,
            taken_minor=0,
            since=date(2026, 3, 2),
        ),
        minor=-100,
    ),
    "a share to be given back": breach(
        Q.RECEIVABLE,
        "L1/1/principal platform R-1 bank/K",
        "receivable is 0 in the journal and 100 by its item",
        insert(receivable_items).values(
            loan_id="L1",
            payment="R-1",
            number=1,
            component="principal",
            party="platform",
            place="bank/K",
            currency="CNY",
            minor=100,
        ),
        minor=-100,
    ),
    "a payout under way": breach(
        Q.PAYING,
        "platform/CNY/K/20260310/1",
        "paying is 0 in the journal and 100 by its payout",
        insert(payouts).values(**PLANTED_PAYOUT),
        minor=-100,
    ),
    "a payout's items": breach(
        Q.PAYOUT_ITEMS,
        "platform/CNY/K/20260310/1",
        "its items sum to 0 and it is kept with 100",
        insert(payouts).values(**PLANTED_PAYOUT),
        minor=-100,
    ),
    "claims": breach(
        Q.CLAIMS,
        "L1/1/principal",
        "claim is 1 in the journal and 0 by what is owed",
        update(postings).where(of("claim", PRINCIPAL, P.minor < 0)).values(minor=P.minor - 1),
        minor=1,
    ),
    "an item": breach(
        Q.NO_ITEM,
        "clearing/simbank",
        r"a posting of entry \d+ names no item",
        update(postings).where(of("clearing", ON_L1, P.line.is_(None))).values(payment=None),
        minor=FULL,
    ),
    "a payment's side": breach(
        Q.MONEY_SIDE,
        "L4 P-.*",
        "advance/L4 stands on the wrong side",
        update(postings).where(of("advance")).values(minor=-P.minor),
        minor=4_900,
    ),
    "a receivable's side": breach(
        Q.MONEY_SIDE,
        "L4 P-.*",
        "receivable/funder-1 stands on the wrong side",
        update(postings).where(of("advance")).values(account="receivable/funder-1"),
        minor=4_900,
    ),
    "a share's side": breach(
        Q.SHARE_SIDE,
        "L1/1/principal",
        "more than its share was taken from payable/funder-1",
        update(postings).where(_allocated).values(minor=func.abs(P.minor)),
        minor=20_000,
    ),
    "an allocation": breach(
        Q.OVER_ALLOCATED,
        "L1/1/principal",
        "more was allocated than was charged",
        update(postings)
        .where(of("owed", PRINCIPAL, P.payment.is_not(None)))
        .values(minor=P.minor - 1),
        minor=1,
    ),
    "live orders": breach(
        Q.LIVE_ORDERS,
        "L3/1",
        "2 orders have no final outcome",
        update(attempts).where(attempts.c.loan_id == "L3").values(state="UNKNOWN"),
        minor=2 * FULL,
    ),
    "an order's end": breach(
        Q.EARLY_INTENT,
        "L3/1 L3001020F28EC6D",
        "intended while L300101B8AC286A lacked a final outcome",
        delete(transitions).where(move("L3", "DECLINED")),
        minor=FULL,
    ),
    "an intent": breach(
        Q.NO_INTENT,
        "L1/1 L100101C4AEE9B2",
        "the journal has no intent of this order",
        update(transitions).where(move("L1", "INTENDED")).values(order_no="X"),
        minor=FULL,
    ),
    "an order's content": Tampering(
        (update(attempts).where(attempts.c.loan_id == "L1").values(amount_minor=1),),
        K.NO_INTENT,
        "L1/1 L100101C4AEE9B2",
        "given out to be sent with another content",
        FULL,
    ),
    "a mandate's end": breach(
        Q.MANDATE_ENDED,
        "L1/1 L100101C4AEE9B2",
        f"intended for {DUE} while mandate M-L1 was known to have ended",
        mandate_ended("M-L1"),
        minor=FULL,
    ),
    "a mandate's bar": breach(
        Q.BARRED,
        "L1/1 L100101C4AEE9B2",
        "intended while mandate M-L1 was barred",
        mandate_barred("M-L1"),
        minor=FULL,
    ),
    "a hard refusal": breach(
        Q.HARD_REFUSED,
        "L1/1 L100101C4AEE9B2",
        "intended under mandate M-L1 after L100101C4AEE9B2 was refused for good",
        refused_for_good("L100101C4AEE9B2"),
        minor=FULL,
    ),
    "a gate's money": breach(
        Q.GATE_OWED,
        "L1/1",
        "closed while principal was not paid",
        delete(postings).where(of("owed", PRINCIPAL, P.payment.is_not(None))),
        minor=10_000,
    ),
    "a gate's proof": breach(
        Q.GATE_UNPROVEN,
        "L1/1",
        "released while payment R-.* was not proven",
        delete(postings).where(of("clearing", ON_L1, P.line.is_not(None))),
        minor=FULL,
    ),
    "a gate's share": breach(
        Q.GATE_SHARE,
        "L1/1",
        "closed while principal had not left payable/funder-1",
        delete(postings).where(of("payable", PRINCIPAL), P.seq.in_(_left)),
        minor=-10_000,
    ),
    "a gate's order": breach(
        Q.GATE_ORDER,
        "L1/1",
        "released while order L100101C4AEE9B2 had no final outcome",
        update(transitions).where(move("L1", "CONFIRMED")).values(target="UNKNOWN"),
        minor=FULL,
    ),
    "a gate's case": breach(
        Q.GATE_CASE,
        "L1/1",
        "released while case planted/contradiction was open",
        *opened(CaseKind.CONTRADICTION, "L1", 1),
    ),
    "a gate's case about the whole loan": breach(
        Q.GATE_CASE,
        "L1/1",
        "closed while case planted/shortage was open",
        *opened(CaseKind.SHORTAGE, "L1", None),
    ),
    "what is closed": breach(
        Q.CLOSED_OWED,
        "L1/1",
        "CLOSED and still owed",
        delete(postings).where(of("owed", PRINCIPAL, P.payment.is_not(None))),
        minor=10_000,
    ),
    "a closure that ended early": breach(
        Q.CLOSURE,
        "L3/1",
        "CLEARING while the closure of its loan is CLOSED",
        closure_of("L3", "CLOSED"),
    ),
    "a closure that began early": breach(
        Q.CLOSURE,
        "L3/1",
        "CLEARING while the closure of its loan is RUNNING",
        closure_of("L3", "RUNNING"),
    ),
    "a proof": breach(
        Q.CLOSED_UNPROVEN,
        "L1/1",
        "payment R-.* is not proven at the bank",
        delete(postings).where(of("clearing", ON_L1, P.line.is_not(None))),
        minor=FULL,
    ),
    "a payee's share": breach(
        Q.CLOSED_SHARE,
        "L1/1",
        "principal has not left payable/funder-1",
        delete(postings).where(of("payable", PRINCIPAL), P.seq.in_(_left)),
        minor=-10_000,
    ),
    "a line's account": breach(
        Q.ELSEWHERE,
        "L1/1",
        "payment R-.* lies on OTHER",
        update(lines).where(lines.c.id == f"{ACCOUNT}/S1/1").values(account="OTHER"),
        minor=FULL,
    ),
    "an account without a case": breach(
        Q.UNREGISTERED,
        "OTHER",
        "an account that is not registered, and no case says so",
        update(lines).where(lines.c.id == f"{ACCOUNT}/S1/1").values(account="OTHER"),
    ),
    "a state": breach(
        Q.STUCK,
        "L1/1",
        "DUE and nothing is owed",
        update(subjects).where(subjects.c.key == "L1/1").values(state="DUE"),
    ),
    "a state of what never fell due": Tampering(
        (update(subjects).where(subjects.c.key == "L5/2").values(state="CLOSED"),),
        K.CLOSED_NOT_PAID,
        "L5/2",
        "closed and never charged",
        FULL,
    ),
    "a line's case": breach(
        Q.LINE_WAITS,
        f"{ACCOUNT}/S1/4",
        "a line waits in suspense and no case says so",
        update(cases).where(cases.c.line.is_not(None)).values(closed_at=AS_OF),
        minor=700,
    ),
    "a surplus's cases": Tampering(
        (update(cases).where(cases.c.loan_id == "L2").values(closed_at=AS_OF),),
        K.DOUBLE_DEBIT,
        "R-.*#2",
        "a surplus waits and no case says so",
        FULL,
    ),
    "a message": breach(
        Q.LATE_NOTICE,
        "N-L1-1-.*",
        "queued after the payment was known",
        update(transitions)
        .where(transitions.c.event == "reminder_queued")
        .values(seq=transitions.c.seq + 10_000),
    ),
    "a move": breach(
        Q.BROKEN_MOVE,
        "L1/1",
        r"item \d+ moves it from DUE, where it did not stand",
        delete(transitions).where(move("L1", "DUE")),
    ),
    "a move's target": Tampering(
        (update(transitions).where(move("L1", "DUE")).values(target="CLEARING"),),
        K.MOVE,
        "L1/1",
        r"item \d+ moves it from SCHEDULED to CLEARING by fell_due",
        0,
    ),
    "a case's move": Tampering(
        (
            update(transitions)
            .where(transitions.c.event == CaseEvent.OPENED.value)
            .values(target="RESOLVED"),
        ),
        K.MOVE,
        "surplus/.*",
        r"item \d+ moves it from nothing to RESOLVED by case_opened",
        0,
    ),
    "an order's move": Tampering(
        (
            update(transitions)
            .where(move("L1", "CONFIRMED"))
            .values(source="RETURNED", target="DECLINED"),
        ),
        K.MOVE,
        "L1/1 L100101C4AEE9B2",
        "moves it from RETURNED to DECLINED by attempt",
        0,
    ),
    "a reason": Tampering(
        (update(commands).where(commands.c.kind == "record_payment").values(reason="x"),),
        K.CHAIN,
        "journal",
        "is not what was hashed",
        0,
    ),
    "a limit": Tampering(
        (body(loans, '"attempts_max":null', '"attempts_max":1'),),
        K.ATTEMPTS,
        "L3/1",
        "2 attempts, 1 allowed",
        0,
    ),
    "a closing balance": Tampering(
        (body(statements, '"closing_minor":40900', '"closing_minor":40901'),),
        K.STATEMENT,
        f"{ACCOUNT} S1",
        "its balances differ by 1 more",
        1,
    ),
    "a line's day": Tampering(
        (
            update(lines)
            .where(lines.c.id == f"{ACCOUNT}/S1/1")
            .values(booked_on=date(2026, 3, 11)),
            body(statements, '"lines":0', '"lines":1'),
        ),
        K.STATEMENT,
        f"{ACCOUNT}/2026-03-11",
        "closes with 40900, the books have 51000",
        -FULL,
    ),
}
