"""Decides requests of refunds: what of a payment nothing owed can take goes back to its payer."""

from collections.abc import Iterator
from dataclasses import replace

from domain.calendar import local_day
from domain.case.kinds import CaseKind
from domain.kernel.change import Done, Refusal
from domain.kernel.order import OURS
from domain.ledger import accounts
from domain.loan.aggregate import Loan
from domain.loan.change import Change
from domain.loan.decide.advance import draw
from domain.loan.decide.references import portions_of
from domain.loan.decide.refunding import reserve
from domain.loan.decide.work import Work
from domain.loan.duplicates import payers, twins
from domain.loan.placing import placed
from domain.money import amount_text
from domain.payment.payment import Payment
from domain.payment.portion import Portion, RefundPart, RefundStage
from domain.payout.commands import RequestRefund
from domain.payout.items import ItemSum
from domain.payout.lifecycle import PayoutEvent
from domain.payout.payout import Payout, Refund, order_number
from domain.payout.policy import RefundPolicy

Parts = tuple[tuple[str, int], ...]
"""Minor units by loan."""


def request_refund(work: Work, command: RequestRefund) -> Change | Refusal:
    """Fix what of a payment goes back: it is set aside, and paid once it is approved."""
    policy = work.payout_rules.policy.refunds
    if policy is None:
        return Refusal("refund.policy", "the policy of payees has no table of refunds")
    if work.payout(command.payout) is not None:
        return Refusal("refund.known", f"refund {command.payout} is on the books")
    payment = work.payments.get(command.payment)
    if payment is None:
        return Refusal("refund.payment", f"no payment {command.payment}")
    if command.amount_minor is not None and command.amount_minor <= 0:
        return Refusal("refund.amount", "more than zero goes back")
    if refusal := _kept_back(work, command, payment):
        return refusal
    if command.advance:
        for loan_id, portion in portions_of(work, payment):
            free = portion.waiting_minor + portion.advance_minor
            draw(work, loan_id, payment.id, free)
    account, parts = _takes(work, payment, command.amount_minor)
    if not parts:
        return Refusal("refund.nothing", f"nothing of payment {payment.id} is there to be refunded")
    whole = sum(minor for _, minor in parts)
    if command.amount_minor is not None and whole < command.amount_minor:
        said = amount_text(whole, payment.currency)
        return Refusal("refund.amount", f"{said} of payment {payment.id} can be refunded")
    payout = _requested(work, command, policy, payment, account, parts)
    for loan_id, minor in parts:
        reserve(
            work,
            loan_id,
            payment.id,
            RefundPart(payout.key, account, minor, RefundStage.RESERVED),
        )
    detail = f"{amount_text(whole, payment.currency)} of payment {payment.id}"
    work.move_payout(payout, PayoutEvent.REQUESTED, detail)
    if whole <= policy.approve_within_minor and not command.beneficiary:
        machine = replace(payout, approved_by=("machine",), needs_operator="")
        within = f"within {policy.approve_within_minor}"
        work.move_payout(machine, PayoutEvent.APPROVED, within)
    return work.finish_payout(Done(note=detail), payout.key)


def _kept_back(work: Work, command: RequestRefund, payment: Payment) -> Refusal | None:
    """Why nothing of a payment is refunded now: its money, or that of its twin, is not certain."""
    if any(not portion.is_proven for _, portion in portions_of(work, payment)):
        return Refusal("refund.unproven", f"no booked line proves all of payment {payment.id}")
    loans = [work.loan(loan_id) for loan_id in payment.loans]
    for loan in loans:
        if back := _under_way(work, loan):
            return Refusal("refund.return", f"a return of payment {back} is under way")
        unproven = [one.id for one in payers(loan, payment.id) if not one.is_proven]
        if unproven:
            why = f"no booked line proves payment {unproven[0]}, which paid what it was for"
            return Refusal("refund.twin", why)
        if any(item.live_attempt is not None for item in loan.installments):
            return Refusal("refund.debit", f"a debit of loan {loan.id} is under way")
    if command.actor.kind in OURS:
        return _kept_from_machine(work, command, loans)
    return None


def _kept_from_machine(work: Work, command: RequestRefund, loans: list[Loan]) -> Refusal | None:
    """Why only a person may refund it: its payer owes too, or the last refund did not arrive."""
    owing = [loan.id for loan in loans if any(item.owed.total for item in loan.installments)]
    if owing:
        return Refusal("refund.owed", f"loan {owing[0]} owes: a person decides")
    mine = (case for case in work.cases.values() if case.payment == command.payment)
    failed = next((case for case in mine if case.kind is CaseKind.REFUND_UNREACHABLE), None)
    if failed is not None:
        return Refusal("refund.case", f"case {failed.key} is open: correct what it says first")
    return None


def _under_way(work: Work, loan: Loan) -> str:
    """A payment of a loan of which a return is reported and not proven; empty if there is none."""
    for portion in loan.portions:
        payment = work.payments.get(portion.id)
        excess = payment.excess_minor if payment is not None else 0
        if portion.unproven_return_minor or excess:
            return portion.id
    return ""


def _takes(work: Work, payment: Payment, wanted: int | None) -> tuple[str, Parts]:
    """What of a payment waits on one account that we may pay from, and the account.

    The account is that on which most of it lies; of several loans it takes in their order.
    """
    rooms: dict[str, dict[str, int]] = {}
    for loan_id, portion in portions_of(work, payment):
        for account, minor in _waiting_on(work, work.loan(loan_id), portion):
            rooms.setdefault(account, {})[loan_id] = minor
    if not rooms:
        return "", ()
    account = max(sorted(rooms), key=lambda name: sum(rooms[name].values()))
    left = sum(rooms[account].values()) if wanted is None else wanted
    parts: list[tuple[str, int]] = []
    for loan_id, room in rooms[account].items():
        if minor := min(left, room):
            parts.append((loan_id, minor))
            left -= minor
    return account, tuple(parts)


def _waiting_on(work: Work, loan: Loan, portion: Portion) -> Iterator[tuple[str, int]]:
    """What waits of a portion by account that we may pay from; not what is set aside already."""
    lies = placed(loan, portion)
    for account in sorted(portion.cash):
        registered = work.bank_account(account)
        if registered is None or not registered.may_pay_from:
            continue
        place = accounts.bank(account)
        suspense = -sum(
            minor
            for (item, where), minor in lies.items()
            if where == place and item.family == "suspense"
        )
        reserved = sum(
            part.minor
            for part in portion.refunds
            if part.account == account and part.stage is RefundStage.RESERVED
        )
        if (minor := min(suspense - reserved, portion.waiting_minor)) > 0:
            yield account, minor


def _requested(
    work: Work,
    command: RequestRefund,
    policy: RefundPolicy,
    payment: Payment,
    account: str,
    parts: Parts,
) -> Payout:
    key, first = command.payout, parts[0][0]
    today = local_day(work.at, policy.timezone)
    calendar = work.payout_rules.calendar(policy.calendar)
    loan = work.loan(first)
    return Payout(
        key=key,
        payee=payment.payer,
        currency=payment.currency,
        account=account,
        cut_off_on=today,
        number=command.number,
        order_no=order_number(key),
        channel=policy.channel,
        beneficiary=command.beneficiary or _instrument(loan, payment),
        fees_borne_by=policy.fees_borne_by,
        policy=work.payout_rules.policy.version,
        items=ItemSum(len(parts), sum(minor for _, minor in parts), ""),
        requested_by=f"{command.actor.kind}/{command.actor.id}",
        since=work.at,
        tenant=loan.tenant,
        needs_operator="approval",
        refund=Refund(
            payment.id,
            parts,
            calendar.add_banking_days(today, policy.within_banking_days),
            number=work.portion(first, payment.id).number,
            twins=twins(loan, payment.id),
        ),
    )


def _instrument(loan: Loan, payment: Payment) -> str:
    """What stands for the account that the money came from: the debited one, or its line's payer.

    An account is named by its token in the vault, a line by our id of it.
    """
    under = {attempt.order_no: attempt.mandate_ref for _, attempt in loan.attempts()}
    if under.get(payment.order_no or "") == loan.mandate.ref:
        return f"account:{loan.mandate.account_token}"
    return f"line:{payment.lines[-1]}"
