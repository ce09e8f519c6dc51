"""Decides requests of payouts: what is remitted to a payee at a cut-off, fixed once."""

from dataclasses import replace
from typing import Any, TypeVar

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.kernel.change import Done, Refusal
from domain.money import amount_text
from domain.payout import casekeys
from domain.payout.commands import RecordShortfall, RequestPayout
from domain.payout.decision import Decision
from domain.payout.items import ItemSum
from domain.payout.lifecycle import PayoutEvent
from domain.payout.payout import Payout, order_number
from domain.payout.policy import PayeePolicy

C_co = TypeVar("C_co", covariant=True)
_E = PayoutEvent


def request_payout(work: Decision[C_co], command: RequestPayout) -> C_co | Refusal:
    """Fix what is remitted: everything that is open for the payee on the account."""
    policy = work.payout_rules.policy.payees.get(command.payee)
    if policy is None:
        return Refusal("remittance.payee", f"the policy of payees does not name {command.payee}")
    if refusal := _kept_back(work, command):
        return refusal
    items = work.taken(command.payout)
    if items is None or not items.count:
        return Refusal("remittance.nothing", "nothing is open that is proven at the bank")
    calendar = work.payout_rules.calendar(policy.calendar)
    if policy.is_too_little(items.minor, items.oldest_on, command.cut_off_on, calendar):
        amounts = (items.minor, policy.minimum_minor)
        said, least = (amount_text(minor, command.currency) for minor in amounts)
        return Refusal("remittance.minimum", f"{said} are open, at least {least} are sent")
    payout = _requested(work, command, policy, items)
    work.keep_items(payout.key)
    detail = f"{items.count} items, {items.minor} {payout.currency}, {items.digest}"
    work.move_payout(payout, _E.REQUESTED, detail)
    if items.minor <= policy.approve_within_minor:
        machine = replace(payout, approved_by=("machine",), needs_operator="")
        work.move_payout(machine, _E.APPROVED, f"within {policy.approve_within_minor}")
    return work.finish_payout(Done(note=f"{items.count} items"), payout.key)


def record_shortfall(work: Decision[C_co], command: RecordShortfall) -> C_co:
    """Have a case say what was not remitted, for as long as it is not."""
    said = amount_text(command.minor, command.currency)
    text = f"{said} on {command.account} were due to {command.party} by the cut-off of"
    work.follow_amount(
        Case(
            casekeys.shortfall(command.party, command.currency, command.account),
            CaseKind.REMITTANCE_SHORTFALL,
            f"{text} {command.cut_off_on} and no payout has taken them",
            amount_minor=command.minor,
            currency=command.currency,
        )
    )
    return work.finish_payout(Done(note=said), "")


def _kept_back(work: Decision[Any], command: RequestPayout) -> Refusal | None:
    """Why nothing is requested from an account for a payee now."""
    if work.payout(command.payout) is not None:
        return Refusal("remittance.known", f"payout {command.payout} is on the books")
    account = work.bank_account(command.account)
    if account is None or not account.may_pay_from or account.currency != command.currency:
        what = f"{command.account} in {command.currency}"
        return Refusal("remittance.account", f"{what} is not registered to be paid from")
    whose = (command.payee, command.currency, command.account)
    for key in (casekeys.failed(*whose), casekeys.returned(*whose)):
        case = work.case(key)
        if case is not None and case.is_open:
            return Refusal("remittance.case", f"case {key} is open: correct what it says first")
    return None


def _requested(
    work: Decision[Any], command: RequestPayout, policy: PayeePolicy, items: ItemSum
) -> Payout:
    key = command.payout
    return Payout(
        key=key,
        payee=command.payee,
        currency=command.currency,
        account=command.account,
        cut_off_on=command.cut_off_on,
        number=command.number,
        order_no=order_number(key),
        channel=policy.channel,
        beneficiary=policy.beneficiary,
        fees_borne_by=policy.fees_borne_by,
        policy=work.payout_rules.policy.version,
        items=replace(items, oldest_on=None),
        requested_by=f"{command.actor.kind}/{command.actor.id}",
        since=work.at,
        tenant=work.payout_rules.policy.tenant,
        needs_operator="approval",
    )
