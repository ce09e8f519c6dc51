"""Evidence about debits: outcomes, and orders that never left. Never refused."""

from dataclasses import replace
from typing import assert_never

from domain.debit.attempt import MOVES, Attempt, AttemptState
from domain.debit.history import NEVER_PRESENTED
from domain.debit.outcome import Outcome, OutcomeClass, Verdict, checked
from domain.debit.retry import NoRetry
from domain.errors import IllegalTransition
from domain.ledger import accounts
from domain.loan.aggregate import Receipt
from domain.loan.change import Change
from domain.loan.commands import RecordOutcome, RecordUnsent
from domain.loan.decide.charges import charge_to_date
from domain.loan.decide.desk import end_of_doubt, need_operator, open_case, unknown_order
from domain.loan.decide.disputes import (
    compare_bookings,
    dispute_amount,
    is_proven,
    raise_receipt,
    receipts_of_order,
)
from domain.loan.decide.money import place_waiting, raise_paid, receive_debit, receive_free
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.retrying import retry_verdict

ENQUIRY = "enquiry"
_TAKEN = frozenset({AttemptState.CONFIRMED, AttemptState.RETURNED})


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
    outcome = checked(outcome, work.loan(loan_id).currency)
    if outcome.flaw:
        _doubt(work, loan_id, number, attempt, outcome)
    if attempt.is_live:
        _hear_live(work, loan_id, number, attempt, outcome, source, conclusive=conclusive)
    elif outcome.verdict is Verdict.CONFIRMED:
        _hear_money_again(work, loan_id, number, attempt, outcome)
    elif attempt.state in NEVER_PRESENTED and _acknowledges(outcome):
        _revive(work, loan_id, number, attempt, outcome)
    elif attempt.state in NEVER_PRESENTED and outcome.verdict is Verdict.DECLINED:
        work.close_case(f"contradiction/{attempt.order_no}")
        state = AttemptState.DECLINED  # the rail had it after all, and no money was taken
        refused = replace(attempt, state=state, klass=outcome.klass, code=outcome.code)
        put_attempt(work, loan_id, number, refused)
        judge_again(work, loan_id, number, f"{outcome.klass} {outcome.code}")
    elif outcome.verdict in {Verdict.DECLINED, Verdict.NOT_FOUND} and attempt.state in _TAKEN:
        _deny(work, loan_id, number, attempt, outcome)
    place_waiting(work, loan_id)


def _deny(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """A confirmed order is said to have failed: a case, until the bank's lines prove the money."""
    if not is_proven(work, loan_id, attempt.order_no):
        why = f"order {attempt.order_no} was confirmed and is now said to be {outcome.code}"
        key = f"contradiction/{attempt.order_no}"
        open_case(work, loan_id, number, key, "contradiction", why)


def _doubt(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """An answer that cannot be true is kept as a case: about a live order, or about its money."""
    unbooked = not receipts_of_order(work, loan_id, attempt.order_no)
    if attempt.is_live or (outcome.claims_money and unbooked):
        why = f"order {attempt.order_no}: answer {outcome.code!r} is not believed: {outcome.flaw}"
        key = f"unbelieved/{attempt.order_no}"
        kind = "contradiction" if outcome.claims_money else "unknown_code"
        open_case(work, loan_id, number, key, kind, why)


def _acknowledges(outcome: Outcome) -> bool:
    """Whether the rail says that it holds the order, without a verdict on it."""
    held = outcome.verdict is Verdict.PENDING or outcome.klass is OutcomeClass.DUPLICATE
    return held and not outcome.flaw


def _revive(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """The rail holds an order that was thought never to have arrived: it owes a verdict again.

    Beside a later order it stays ended, with a case: nothing more is presented until it is known.
    """
    why = f"order {attempt.order_no} was {attempt.state} and is now said to be {outcome.code}"
    if receipts_of_order(work, loan_id, attempt.order_no):
        return  # its money is here already
    key = f"contradiction/{attempt.order_no}"
    open_case(work, loan_id, number, key, "contradiction", why)
    last = work.item(loan_id, number).attempts[-1]
    if last.number == attempt.number and work.can(loan_id, number, Event.ORDER_FOUND):
        state = AttemptState.UNKNOWN
        again = replace(attempt, state=state, acknowledged=True, ended_at=None, asked_at=work.at)
        put_attempt(work, loan_id, number, again)
        work.move(loan_id, number, Event.ORDER_FOUND, f"order {attempt.order_no}")


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
        batch_ref=attempt.batch_ref if outcome.flaw else outcome.batch_ref or attempt.batch_ref,
        acknowledged=attempt.acknowledged or _acknowledges(outcome),
        enquiries=attempt.enquiries + (1 if source == ENQUIRY else 0),
        asked_at=work.at if source in {ENQUIRY, "answer"} else attempt.asked_at,
    )
    match outcome.verdict:
        case Verdict.CONFIRMED:
            confirm(work, loan_id, number, attempt, outcome)
        case Verdict.DECLINED:
            ended = _ended(work, attempt, AttemptState.DECLINED, outcome)
            end_unpaid(work, loan_id, number, ended)
        case Verdict.NOT_FOUND if conclusive and not attempt.acknowledged:
            ended = _ended(work, attempt, AttemptState.NOT_EXECUTED, outcome)
            end_unpaid(work, loan_id, number, ended)
        case Verdict.PENDING:
            _wait(work, loan_id, number, attempt, AttemptState.ACCEPTED, outcome)
        case Verdict.NOT_FOUND if conclusive:
            why = f"order {attempt.order_no} was acknowledged and is now said to be unknown"
            key = f"contradiction/{attempt.order_no}"
            open_case(work, loan_id, number, key, "contradiction", why)
            _wait(work, loan_id, number, attempt, AttemptState.UNKNOWN, outcome)
        case Verdict.UNKNOWN | Verdict.NOT_FOUND:
            keeps = attempt.state is AttemptState.ACCEPTED and not _is_overdue(work, attempt)
            state = AttemptState.ACCEPTED if keeps else AttemptState.UNKNOWN
            _wait(work, loan_id, number, attempt, state, outcome)
        case _:
            assert_never(outcome.verdict)


def confirm(work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome) -> None:
    """The rail took money for a live attempt: receipt, allocation, and the attempt ends."""
    amount = outcome.executed_minor
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
    if amount > attempt.amount_minor:
        more_than_ordered(work, loan_id, number, attempt, amount)
    work.close_case(f"unbelieved/{attempt.order_no}")
    end_of_doubt(work, loan_id, number, attempt.order_no)


def end_unpaid(work: Work, loan_id: str, number: int, ended: Attempt) -> None:
    """An attempt ended without money: retry by plan, or delinquent."""
    put_attempt(work, loan_id, number, ended)
    end_of_doubt(work, loan_id, number, ended.order_no)
    work.close_case(f"contradiction/{ended.order_no}")
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
    """Success for an attempt that has ended: known, more than known, or money nobody expected."""
    amount, named = outcome.executed_minor, outcome.bank_ref
    known = receipts_of_order(work, loan_id, attempt.order_no)
    same = [r for r in known if named is not None and r.bank_ref == named]
    same = same or [r for r in known if named is None or r.bank_ref is None]
    # A booking that nobody has named is this one: before all others the one of this amount.
    same.sort(key=lambda receipt: receipt.amount_minor != amount)
    if not same:
        free_success(work, loan_id, number, attempt, outcome, amount)
        return
    receipt = same[0]
    if receipt.bank_ref is None or receipt.inferred:
        named = named or receipt.bank_ref
        work.put_receipt(loan_id, replace(receipt, bank_ref=named, inferred=False))
        compare_bookings(work, loan_id, number, receipt.id)
    if amount > receipt.amount_minor:
        grow(work, loan_id, number, attempt, receipt, amount)
    differs = amount < receipt.amount_minor if receipt.inferred else amount != receipt.amount_minor
    if differs and not is_proven(work, loan_id, attempt.order_no):
        said = f"{outcome.code}: {amount} was taken, and {receipt.amount_minor} was booked"
        dispute_amount(work, loan_id, number, attempt.order_no, said)


def grow(
    work: Work, loan_id: str, number: int, attempt: Attempt, receipt: Receipt, amount: int
) -> None:
    """More of one booking was taken than told: the same payment and its attempt are raised."""
    raise_receipt(work, loan_id, receipt.id, amount)
    if receipt.id == f"R-{attempt.order_no}" and attempt.state in _TAKEN:
        _, now = find(work, loan_id, attempt.order_no)
        put_attempt(work, loan_id, number, replace(now, confirmed_minor=amount))
    if amount > attempt.amount_minor:
        more_than_ordered(work, loan_id, number, attempt, amount)
    place_waiting(work, loan_id)


def more_than_ordered(work: Work, loan_id: str, number: int, attempt: Attempt, amount: int) -> None:
    """The rail took more than was ordered: cash is booked as it came, a person looks."""
    text = f"order {attempt.order_no}: {amount} of {attempt.amount_minor}"
    open_case(work, loan_id, number, f"overtaken/{attempt.order_no}", "more_than_ordered", text)


def free_success(
    work: Work, loan_id: str, number: int, attempt: Attempt, outcome: Outcome, amount: int
) -> str:
    """Book money of an ended attempt as a free receipt with a case; the receipt's id."""
    earlier = len(receipts_of_order(work, loan_id, attempt.order_no))
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
    work.close_case(f"unbelieved/{attempt.order_no}")
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
    # What a flawed answer says of the order is not believed, its class included.
    klass = OutcomeClass.UNKNOWN_CODE if outcome.flaw else outcome.klass
    put_attempt(
        work, loan_id, number, replace(attempt, state=state, klass=klass, code=outcome.code)
    )
    doubtful = state is AttemptState.UNKNOWN or _is_overdue(work, attempt)
    if doubtful and work.can(loan_id, number, Event.VERDICT_OVERDUE):
        work.move(loan_id, number, Event.VERDICT_OVERDUE, f"{outcome.klass} {outcome.code}")
    if outcome.klass is OutcomeClass.UNKNOWN_CODE and not outcome.flaw:
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


def judge_again(work: Work, loan_id: str, number: int, detail: str) -> None:
    """Whether a machine may try again is decided anew, where nobody has acted since."""
    item = work.item(loan_id, number)
    if item.state not in {State.RETRYING, State.DELINQUENT} or not item.owed.total:
        return
    final = isinstance(retry_verdict(work.loan(loan_id), item, work.rules, work.at), NoRetry)
    if (State.DELINQUENT if final else State.RETRYING) is not item.state:
        event = Event.RECEIPT_REVERSED_FINALLY if final else Event.RECEIPT_REVERSED_RETRYABLE
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
