"""Evidence about debits: outcomes, and orders that never left. Never refused."""

from dataclasses import replace
from typing import assert_never

from domain.debit.attempt import MOVES, Attempt, AttemptState
from domain.debit.outcome import Outcome, OutcomeClass, Verdict
from domain.debit.retry import NoRetry
from domain.errors import IllegalTransition
from domain.ledger import accounts
from domain.loan.aggregate import Receipt
from domain.loan.change import Change
from domain.loan.commands import RecordOutcome, RecordUnsent
from domain.loan.decide.charges import charge_to_date
from domain.loan.decide.desk import end_of_doubt, need_operator, open_case, unknown_order
from domain.loan.decide.money import place_waiting, raise_paid, receive_debit, receive_free
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event
from domain.loan.retrying import retry_verdict

ENQUIRY = "enquiry"


def record_outcome(work: Work, command: RecordOutcome) -> Change:
    """What a rail said about an order, whichever way it came."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, command.rail, command.order_no)
    number, attempt = find(work, loan_id, command.order_no)
    proves = _conclusive(work, attempt, command)
    hear(work, loan_id, number, attempt, command.outcome, command.source, conclusive=proves)
    return work.done(loan_id, number, command.outcome.verdict.value)


def record_unsent(work: Work, command: RecordUnsent) -> Change:
    """The order provably never left: the same number is sent again later."""
    loan_id = work.aggregates.orders.get(command.order_no)
    if loan_id is None:
        return unknown_order(work, "-", command.order_no)
    number, attempt = find(work, loan_id, command.order_no)
    if attempt.state is AttemptState.INTENDED and attempt.sends == command.sends > 0:
        calls = attempt.enquiries + 1
        rail = work.rules.rail(attempt.rail)
        unsent = replace(attempt, sends=-attempt.sends, enquiries=calls, asked_at=work.at)
        put_attempt(work, loan_id, number, unsent)
        if calls >= rail.enquiries_before_operator:
            need_operator(work, loan_id, number, f"order {attempt.order_no} cannot be sent")
    return work.done(loan_id, number)


def find(work: Work, loan_id: str, order_no: str) -> tuple[int, Attempt]:
    """The installment number and the attempt of an order of this loan."""
    return next(
        (item.number, attempt)
        for item, attempt in work.loan(loan_id).attempts()
        if attempt.order_no == order_no
    )


def hear(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    outcome: Outcome,
    source: str,
    *,
    conclusive: bool = False,
) -> None:
    """Weigh one outcome against what is known: same or weaker news has no effect."""
    if attempt.is_live:
        _hear_live(work, loan_id, number, attempt, outcome, source, conclusive=conclusive)
    elif outcome.verdict is Verdict.CONFIRMED:
        _hear_money_again(work, loan_id, number, attempt, outcome)
    elif outcome.verdict in {Verdict.DECLINED, Verdict.NOT_FOUND} and attempt.state in {
        AttemptState.CONFIRMED,
        AttemptState.RETURNED,
    }:
        open_case(
            work,
            loan_id,
            number,
            f"contradiction/{attempt.order_no}",
            "contradiction",
            f"order {attempt.order_no} was confirmed and is now said to be {outcome.code}",
        )
    place_waiting(work, loan_id)


def _hear_live(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    outcome: Outcome,
    source: str,
    *,
    conclusive: bool,
) -> None:
    attempt = replace(
        attempt,
        batch_ref=outcome.batch_ref or attempt.batch_ref,
        enquiries=attempt.enquiries + (1 if source == ENQUIRY else 0),
        asked_at=work.at if source in {ENQUIRY, "answer"} else attempt.asked_at,
    )
    match outcome.verdict:
        case Verdict.CONFIRMED:
            confirm(work, loan_id, number, attempt, outcome)
        case Verdict.DECLINED:
            ended = _ended(work, attempt, AttemptState.DECLINED, outcome)
            end_unpaid(work, loan_id, number, ended)
        case Verdict.NOT_FOUND if conclusive:
            ended = _ended(work, attempt, AttemptState.NOT_EXECUTED, outcome)
            end_unpaid(work, loan_id, number, ended)
        case Verdict.PENDING:
            _wait(work, loan_id, number, attempt, AttemptState.ACCEPTED, outcome)
        case Verdict.UNKNOWN | Verdict.NOT_FOUND:
            keeps = attempt.state is AttemptState.ACCEPTED and not _is_overdue(work, attempt)
            state = AttemptState.ACCEPTED if keeps else AttemptState.UNKNOWN
            _wait(work, loan_id, number, attempt, state, outcome)
        case _:
            assert_never(outcome.verdict)


def confirm(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """The rail took money for a live attempt: receipt, allocation, and the attempt ends."""
    amount = outcome.executed_minor or attempt.amount_minor
    ended = replace(_ended(work, attempt, AttemptState.CONFIRMED, outcome), confirmed_minor=amount)
    put_attempt(work, loan_id, number, ended)
    receipt = debit_receipt(work, number, ended, outcome, amount, f"R-{attempt.order_no}")
    receive_debit(work, loan_id, receipt, number)
    if work.item(loan_id, number).owed.total == 0:
        raise_paid(work, loan_id, number, f"order {attempt.order_no}")
    else:
        _end_retryable_or_finally(work, loan_id, number, "paid in part")
    if outcome.klass is OutcomeClass.SUCCESS_DEFECTIVE:
        open_case(
            work,
            loan_id,
            number,
            f"defective/{attempt.order_no}",
            "defective_success",
            f"order {attempt.order_no} was taken with code {outcome.code}",
        )
    if receipt.amount_minor > attempt.amount_minor:
        open_case(
            work,
            loan_id,
            number,
            f"overtaken/{attempt.order_no}",
            "more_than_ordered",
            f"order {attempt.order_no}: {receipt.amount_minor} of {attempt.amount_minor}",
        )
    end_of_doubt(work, loan_id, number, attempt.order_no)


def end_unpaid(work: Work, loan_id: str, number: int, ended: Attempt) -> None:
    """An attempt ended without money: retry by plan, or delinquent."""
    put_attempt(work, loan_id, number, ended)
    end_of_doubt(work, loan_id, number, ended.order_no)
    # Penalty waited for the verdict, and may have been charged ahead for the day of the debit.
    charge_to_date(work, loan_id, number)
    if ended.state is AttemptState.RECALLED:
        work.move(loan_id, number, Event.ATTEMPT_WITHDRAWN, f"order {ended.order_no}")
        return
    _end_retryable_or_finally(work, loan_id, number, f"{ended.klass} {ended.code}")


def debit_receipt(
    work: Work, number: int, attempt: Attempt, outcome: Outcome, amount: int, receipt_id: str
) -> Receipt:
    """A receipt of money that a rail reports as taken for one order."""
    return Receipt(
        id=receipt_id,
        source="debit",
        amount_minor=amount,
        value_on=outcome.executed_on or attempt.value_on,
        received_at=work.at,
        clearing_account=accounts.clearing(attempt.rail),
        number=number,
        order_no=attempt.order_no,
        bank_ref=outcome.bank_ref,
    )


def _hear_money_again(
    work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome
) -> None:
    """Success for an attempt that has ended: known, or money that nobody expected."""
    known = [r for r in work.loan(loan_id).receipts if r.order_no == attempt.order_no]
    amount = outcome.executed_minor or attempt.amount_minor
    same = [r for r in known if outcome.bank_ref in {None, r.bank_ref}]
    if same:
        if all(receipt.amount_minor != amount for receipt in same):
            said = f"{amount} was taken, and {same[0].amount_minor} is booked"
            key = f"amount/{attempt.order_no}"
            open_case(work, loan_id, number, key, "contradiction", f"{outcome.code}: {said}")
        return
    unnamed = [r for r in known if r.bank_ref is None and r.amount_minor == amount]
    if unnamed:
        work.put_receipt(loan_id, replace(unnamed[0], bank_ref=outcome.bank_ref))
        return
    free_success(work, loan_id, number, attempt, outcome, amount)


def free_success(
    work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome, amount: int
) -> str:
    """Book money of an ended attempt as a free receipt with a case; the receipt's id."""
    earlier = sum(1 for r in work.loan(loan_id).receipts if r.order_no == attempt.order_no)
    suffix = f"-{earlier + 1}" if earlier else ""
    receipt_id = f"R-{attempt.order_no}{suffix}"
    receipt = debit_receipt(work, number, attempt, outcome, amount, receipt_id)
    receive_free(work, loan_id, receipt, "confirmed_late")
    kind = "double_execution" if earlier else "late_success"
    open_case(
        work,
        loan_id,
        number,
        f"{kind}/{receipt_id}",
        kind,
        f"order {attempt.order_no} was {attempt.state.value}; money came: {outcome.code}",
        money=(receipt_id, amount),
    )
    place_waiting(work, loan_id)
    return receipt_id


def _conclusive(work: Work, attempt: Attempt, command: RecordOutcome) -> bool:
    """Whether *not found* proves anything: an enquiry that left after the rail's query window."""
    window = work.rules.rail(attempt.rail).query_window
    asked_at = min(command.asked_at or work.at, work.at)
    return command.source == ENQUIRY and asked_at >= attempt.send_until + window


def _is_overdue(work: Work, attempt: Attempt) -> bool:
    return work.at >= attempt.intended_at + work.rules.rail(attempt.rail).expected_by


def _ended(work: Work, attempt: Attempt, state: AttemptState, outcome: Outcome) -> Attempt:
    return replace(
        attempt,
        state=state,
        klass=outcome.klass,
        code=outcome.code,
        bank_ref=outcome.bank_ref or attempt.bank_ref,
        ended_at=work.at,
    )


def _wait(
    work: Work,
    loan_id: str,
    number: int,
    attempt: Attempt,
    state: AttemptState,
    outcome: Outcome,
) -> None:
    """The attempt stays open; in doubt once its verdict is overdue, later a person's task."""
    put_attempt(
        work, loan_id, number, replace(attempt, state=state, klass=outcome.klass, code=outcome.code)
    )
    doubtful = state is AttemptState.UNKNOWN or _is_overdue(work, attempt)
    if doubtful and work.can(loan_id, number, Event.VERDICT_OVERDUE):
        work.move(loan_id, number, Event.VERDICT_OVERDUE, f"{outcome.klass} {outcome.code}")
    if outcome.klass is OutcomeClass.UNKNOWN_CODE:
        open_case(
            work,
            loan_id,
            number,
            f"code/{attempt.order_no}",
            "unknown_code",
            f"order {attempt.order_no}: code {outcome.code!r} stands in no table",
        )
    if attempt.enquiries >= work.rules.rail(attempt.rail).enquiries_before_operator:
        need_operator(work, loan_id, number, f"order {attempt.order_no} is in doubt")


def _end_retryable_or_finally(work: Work, loan_id: str, number: int, detail: str) -> None:
    item = work.item(loan_id, number)
    verdict = retry_verdict(work.loan(loan_id), item, work.rules, work.at)
    if isinstance(verdict, NoRetry):
        event, detail = Event.ATTEMPT_ENDED_FINALLY, f"{detail}; {verdict.rule}: {verdict.reason}"
    else:
        event = Event.ATTEMPT_ENDED_RETRYABLE
    work.move(loan_id, number, event, detail)


def put_attempt(work: Work, loan_id: str, number: int, attempt: Attempt) -> None:
    """Replace an attempt; a change of its state is a transition of its own."""
    item = work.item(loan_id, number)
    before = item.attempts[attempt.number - 1]
    attempts = tuple(attempt if a.number == attempt.number else a for a in item.attempts)
    work.put(loan_id, replace(item, attempts=attempts))
    if before.state is not attempt.state:
        if attempt.state not in MOVES[before.state]:
            raise IllegalTransition(before.state, attempt.state)
        detail = f"{attempt.klass or ''} {attempt.code}".strip()
        work.note(loan_id, number, before.state, attempt.state, "attempt", detail, attempt.order_no)
