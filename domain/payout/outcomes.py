"""What the news of a payout means: what its channel says, and the bank lines that name it."""

from dataclasses import replace
from datetime import date
from typing import Any, TypeVar, assert_never

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.debit.attempt import AttemptState
from domain.debit.outcome import Outcome, OutcomeClass, OutcomeStatus, checked
from domain.kernel.change import Done
from domain.ledger import accounts
from domain.money import amount_text
from domain.payment.portion import RefundStage
from domain.payout import bookings, casekeys
from domain.payout.commands import RecordPayoutOutcome, RecordPayoutUnsent
from domain.payout.decide import doubt, end_refund, fail, with_sending
from domain.payout.decision import Decision
from domain.payout.lifecycle import GONE, OUT, PayoutEvent, PayoutState
from domain.payout.payout import Payout, Sending

C_co = TypeVar("C_co", covariant=True)
INQUIRY = "inquiry"
_A, _E, _S = AttemptState, PayoutEvent, PayoutState


def record_unsent(work: Decision[C_co], command: RecordPayoutUnsent) -> C_co:
    """The order provably never left: the same number is sent again later."""
    payout = work.payout(command.payout)
    if payout is None:
        return work.finish_payout(Done(note="unknown payout"), "")
    sending = payout.sending
    if sending is not None and sending.state is _A.INTENDED and sending.sends == command.sends > 0:
        tried = sending.inquiries + 1
        sending = replace(sending, sends=-sending.sends, inquiries=tried, asked_at=work.at)
        channel = work.payout_rules.channel(payout.channel)
        asks = tried >= channel.inquiries_before_operator
        why = "the order cannot be sent" if asks else payout.needs_operator
        work.put_payout(replace(payout, sending=sending, needs_operator=why))
    return work.finish_payout(Done(note="it did not leave"), payout.key)


def record_outcome(work: Decision[C_co], command: RecordPayoutOutcome) -> C_co:
    """What a channel said about the order of a payout; same or weaker news has no effect."""
    payout = work.payout(command.payout)
    if payout is None:
        return work.finish_payout(Done(note="unknown payout"), "")
    outcome = _believed(payout, command.outcome)
    if payout.state in OUT and payout.sending is not None:
        _weigh(work, payout, payout.sending, outcome, command)
    elif payout.state is _S.PAID and outcome.status is OutcomeStatus.DECLINED:
        text = f"payout {payout.key} was said to be executed, and now {outcome.code}"
        _contradict(work, payout, outcome, text)
    elif payout.state is _S.FAILED and outcome.claims_money:
        text = f"payout {payout.key} had failed and is now said to be executed: {outcome.code}"
        work.open_case(doubt(payout, text))
    return work.finish_payout(Done(note=outcome.status.value), payout.key)


def _believed(payout: Payout, outcome: Outcome) -> Outcome:
    """The outcome, marked with its flaw where it cannot be true of this payout."""
    outcome = checked(outcome, payout.currency)
    taken = outcome.status is OutcomeStatus.CONFIRMED
    if taken and outcome.executed_minor != payout.minor:
        said, whole = (
            amount_text(minor, payout.currency) for minor in (outcome.executed_minor, payout.minor)
        )
        return replace(outcome, flaw=f"{said} of {whole} are said to be executed")
    return outcome


def _weigh(
    work: Decision[Any],
    payout: Payout,
    sending: Sending,
    outcome: Outcome,
    command: RecordPayoutOutcome,
) -> None:
    """An outcome of an order that is out."""
    known = outcome.outcome_class in {OutcomeClass.PENDING, OutcomeClass.DUPLICATE}
    sending = replace(
        sending,
        acknowledged=sending.acknowledged or (known and not outcome.flaw),
        inquiries=sending.inquiries + (command.source == INQUIRY),
        asked_at=work.at,
        outcome_class=outcome.outcome_class,
        code=outcome.code,
        bank_ref=outcome.bank_ref or sending.bank_ref,
    )
    match outcome.status:
        case OutcomeStatus.CONFIRMED:
            paid = _with(payout, sending, _A.CONFIRMED, work.at)
            work.move_payout(replace(paid, needs_operator=""), _E.EXECUTED, outcome.code)
            work.close_case(casekeys.in_doubt(payout.order_no), "it was executed")
        case OutcomeStatus.DECLINED:
            code = f"{outcome.outcome_class} {outcome.code}"
            fail(work, _with(payout, sending, _A.DECLINED, work.at), code)
        case OutcomeStatus.NOT_FOUND if _proves(work, payout, sending, command):
            ended = _with(payout, sending, _A.NOT_EXECUTED, work.at)
            fail(work, ended, "the channel does not know the order")
        case OutcomeStatus.PENDING:
            accepted = _with(payout, sending, _A.ACCEPTED)
            work.move_payout(_asking(work, accepted, sending), _E.ACCEPTED, outcome.code)
        case OutcomeStatus.UNKNOWN | OutcomeStatus.NOT_FOUND:
            _wonder(work, payout, sending, outcome)
        case _:
            assert_never(outcome.status)


def _proves(
    work: Decision[Any], payout: Payout, sending: Sending, command: RecordPayoutOutcome
) -> bool:
    """Whether *not found* proves that nothing was executed.

    It does in an inquiry that left after the channel's query window, of an order that was never
    acknowledged.
    """
    window = work.payout_rules.channel(payout.channel).query_window
    asked_at = min(command.asked_at or work.at, work.at)
    is_late = command.source == INQUIRY and asked_at >= sending.send_until + window
    return is_late and not sending.acknowledged


def _wonder(work: Decision[Any], payout: Payout, sending: Sending, outcome: Outcome) -> None:
    """Nobody knows: the channel is asked again, and after some inquiries a person."""
    if outcome.flaw or (outcome.status is OutcomeStatus.NOT_FOUND and sending.acknowledged):
        said = outcome.flaw or "it was acknowledged and is now said to be unknown"
        work.open_case(doubt(payout, f"payout {payout.key}: {said}"))
    unknown = _asking(work, _with(payout, sending, _A.UNKNOWN), sending)
    work.move_payout(unknown, _E.UNKNOWN, f"{outcome.outcome_class} {outcome.code}")
    if unknown.needs_operator:
        work.open_case(doubt(payout, f"payout {payout.key} is in doubt after many inquiries"))


def _asking(work: Decision[Any], payout: Payout, sending: Sending) -> Payout:
    """The payout, for which a person is asked once it was inquired about too often."""
    most = work.payout_rules.channel(payout.channel).inquiries_before_operator
    return replace(payout, needs_operator="in doubt" if sending.inquiries >= most else "")


def _contradict(work: Decision[Any], payout: Payout, outcome: Outcome, text: str) -> None:
    """Two sources differ: it is asked about, and a person looks."""
    payout = with_sending(payout, code=outcome.code, state=_A.UNKNOWN, ended_at=None)
    work.open_case(doubt(payout, text))
    work.move_payout(replace(payout, needs_operator="contradiction"), _E.CONTRADICTED, outcome.code)


def _with(payout: Payout, sending: Sending, state: AttemptState, ended_at: Any = None) -> Payout:  # noqa: ANN401
    sending = replace(sending, state=state, ended_at=ended_at)
    return replace(payout, sending=sending, is_late=False)


# --- bank lines ----------------------------------------------------------------------------------


def fits(payout: Payout, account: str, currency: str, minor: int) -> bool:
    """Whether a line that names the order shows exactly what is expected of it next.

    `minor` is signed as it moves our account, before charges.
    """
    if (account, currency) != (payout.account, payout.currency):
        return False
    if minor < 0:
        return payout.state in {*OUT, _S.PAID} and minor == -payout.minor
    return payout.state in GONE and minor == payout.minor


def prove(work: Decision[Any], payout: Payout, line: str, fee_minor: int, on: date) -> Payout:
    """A booked line shows that the payout left: it is proven, and its loans are to learn of it."""
    work.post(bookings.proven(payout, line, fee_minor, on))
    payout = with_sending(payout, state=_A.CONFIRMED, ended_at=work.at)
    fee = payout.fee_minor + fee_minor
    proven = replace(payout, line=line, fee_minor=fee, is_late=False, needs_operator="")
    work.move_payout(proven, _E.PROVEN, f"line {line}")
    work.close_case(casekeys.in_doubt(payout.order_no), f"line {line} shows it")
    if payout.refund is not None:
        work.move_refund(proven, RefundStage.PROVEN)
        work.close_case(casekeys.overdue(payout.order_no), f"line {line} shows it")
        work.move_payout(replace(now_of(work, proven), learnt=True), _E.LEARNT, "its loans know")
    return proven


def now_of(work: Decision[Any], payout: Payout) -> Payout:
    """A payout as it is now in this decision."""
    return work.payout(payout.key) or payout


def come_back(
    work: Decision[Any], payout: Payout, line: str, fee_minor: int, on: date, *, waited: bool
) -> None:
    """A booked line shows that the payout came back: its items will be open again, with a case.

    `waited`: the money had waited on the line; otherwise the line is booked just now.
    """
    source = accounts.suspense_line(line) if waited else payout.place
    covers = work.move_refund(payout, None)
    work.post(bookings.returned(payout, line, fee_minor, source, on, covers))
    back = replace(payout, return_line=line, fee_minor=payout.fee_minor + fee_minor)
    work.move_payout(back, _E.RETURNED, f"line {line}")
    if payout.refund is not None:
        work.move_payout(now_of(work, back), _E.RETURN_LEARNT, "its loans know")
        end_refund(work, payout, f"it came back by line {line}")
        return
    whose = (payout.payee, payout.currency, payout.account)
    work.open_case(
        Case(
            casekeys.returned(*whose),
            CaseKind.REMITTANCE_RETURNED,
            f"payout {payout.key} came back by line {line}; correct it before the next request",
            line=line,
            amount_minor=payout.minor,
            currency=payout.currency,
        )
    )


def misfit(work: Decision[Any], payout: Payout, line: str, minor: int, currency: str) -> None:
    """A line names the order and does not fit it: it waits, and a person compares the two."""
    said, whole = amount_text(minor, currency), amount_text(payout.minor, payout.currency)
    text = f"line {line} shows {said} of payout {payout.key} over {whole}, which is {payout.state}"
    work.open_case(
        Case(
            casekeys.line(payout.order_no, line),
            CaseKind.LINE_DIFFERS,
            text,
            line=line,
            amount_minor=minor,
            currency=currency,
        )
    )
