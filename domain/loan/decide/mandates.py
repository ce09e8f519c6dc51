"""Mandates that loans share: boarded under, ended for all of them, replaced for one."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import assert_never

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.debit.mandate import LOANS_MOST, Mandate, MandateEvent, MandateRoot, MandateState
from domain.kernel.change import Done, Refusal
from domain.kernel.order import refusal_of_form, refusal_without_approver
from domain.loan import casekeys
from domain.loan.change import Change, Lacks
from domain.loan.decide.barring import (
    bar_mandates,
    clear_reasons,
    inherited,
    open_bar_case,
    put_bar,
)
from domain.loan.decide.filing import take_out_unwanted
from domain.loan.decide.work import Work
from domain.loan.lifecycle import Event, State
from domain.loan.mandates import (
    AnyMandateOrder,
    ClearMandate,
    EndMandate,
    RecordMandateEnded,
    ReplaceMandate,
    unknown_mandate_key,
)

END_DAYS = 366
"""A person ends a mandate at most so many days from today, before or after."""
_MAY_BE_RETRIED = frozenset({State.DUE, State.RETRYING})


def refuses_loan(work: Work, mandate: Mandate, payer: str) -> Refusal | None:
    """Why no loan of a payer can come under a mandate with these terms; None: it can.

    A later beginning of the term is no other term: the sender may know only the day of the loan.
    """
    known = work.mandate_roots.get(mandate.ref)
    if known is None:
        key = unknown_mandate_key(mandate.rail, mandate.ref)
        if key in work.cases:
            return Refusal("mandate.ended", f"its end was reported, case {key}")
        return None
    if known.payer != payer:
        return Refusal("mandate.payer", f"mandate {mandate.ref} is another payer's")
    if known.state is MandateState.ENDED:
        why = f"mandate {mandate.ref} has ended on {known.terms.ended_on}"
        return Refusal("mandate.ended", why)
    same = replace(
        mandate,
        valid_from=min(mandate.valid_from, known.terms.valid_from),
        bars=known.terms.bars,
        cleared_at=known.terms.cleared_at,
    )
    other = [
        item.name
        for item in fields(mandate)
        if getattr(same, item.name) != getattr(known.terms, item.name)
    ]
    if other:
        why = f"mandate {mandate.ref} is on the books with another {', '.join(other)}"
        return Refusal("mandate.terms", why)
    if known.loans >= LOANS_MOST:
        why = f"{known.loans} loans are under mandate {mandate.ref}, the most that may be"
        return Refusal("mandate.loans", why)
    return None


def put_under(work: Work, loan_id: str, mandate: Mandate, payer: str) -> Mandate:
    """Count a loan under its mandate, registering the mandate with its first loan.

    Gives the terms that apply.
    """
    known = work.mandate_roots.get(mandate.ref)
    root = known or MandateRoot(replace(mandate, bars=(), cleared_at=None), payer)
    root = replace(root, loans=root.loans + 1)
    event = MandateEvent.JOINED if known else MandateEvent.REGISTERED
    work.note_mandate(root, known.state if known else "", event, loan_id)
    if known is None and mandate.ended_on is not None:
        was, root = root.state, root.ended(mandate.ended_on, "", "boarding")
        work.note_mandate(root, was, MandateEvent.ENDED, f"{mandate.ended_on} boarding")
    work.put_mandate(root)
    for bar in inherited(work, root) if known is None else ():
        root = put_bar(work, root, bar)
    if known is not None and known.terms.bars:
        # The case has ended if no loan was under it.
        open_bar_case(work, root)
    return root.terms


def spread_bars(work: Work) -> None:
    """Bar what this decision has learned to be barred, and stop every loan under it."""
    for root in bar_mandates(work):
        for loan_id in work.aggregates.under_mandates.get(root.ref, ()):
            _bar_loan(work, loan_id, root)
        for loan_id in sorted(work.changed_loans):
            _bar_loan(work, loan_id, root)


def _bar_loan(work: Work, loan_id: str, root: MandateRoot) -> None:
    mandate = work.loan(loan_id).mandate
    if mandate.ref != root.ref or mandate == root.terms:
        return
    why = f"mandate.barred: {'; '.join(map(str, root.terms.bars))}"
    _apply(work, loan_id, root.terms, why)
    take_out_unwanted(work, loan_id)
    for item in work.loan(loan_id).installments:
        if item.state in _MAY_BE_RETRIED:
            work.move(loan_id, item.number, Event.ATTEMPTS_EXHAUSTED, why)


def record_mandate_ended(work: Work, command: RecordMandateEnded) -> Change:
    """Apply a reported end to every loan under the mandate.

    An earlier day that is reported later replaces the day.
    """
    root = work.mandate_roots.get(command.mandate)
    if root is None or root.terms.rail != command.rail:
        text = f"{command.rail} reports that mandate {command.mandate} has ended"
        key = unknown_mandate_key(command.rail, command.mandate)
        work.open_case(Case(key, CaseKind.UNKNOWN_MANDATE, text))
        return work.finish(Done(note="unknown mandate"))
    return _end(work, root, command.ended_on, command.code, command.source)


def order_mandate(work: Work, order: AnyMandateOrder) -> Change | Refusal:
    """Apply an order on a mandate, or refuse it by a named rule."""
    if refusal := refusal_of_form(order):
        return refusal
    root = work.mandate_roots.get(order.mandate)
    if root is None:
        return Refusal("mandate.unknown", f"no mandate {order.mandate}")
    match order:
        case EndMandate():
            if root.terms.ended_on is not None and root.terms.ended_on <= order.ended_on:
                return Refusal("mandate.ended", f"it has ended on {root.terms.ended_on}")
            if why := _implausible_end(work, root, order.ended_on):
                return Refusal("mandate.ended_on", why)
            return _end(work, root, order.ended_on, "", order.actor.kind)
        case ClearMandate():
            return _clear(work, root, order)
        case ReplaceMandate():
            return _replace(work, root, order)
        case _:
            assert_never(order)


def _implausible_end(work: Work, root: MandateRoot, day: date) -> str:
    """Why a day is not taken as the end of a mandate; empty when it is plausible.

    An end cannot be taken back, so a mistake of typing must not become one.
    """
    today = work.at.date()
    first = max(root.terms.valid_from, today - timedelta(days=END_DAYS))
    last = today + timedelta(days=END_DAYS)
    return "" if first <= day <= last else f"ended_on {day}: a day from {first} to {last}"


def _end(work: Work, root: MandateRoot, day: date, code: str, source: str) -> Change:
    """End the mandate and give its new terms to every loan under it; all of them are locked."""
    if root.terms.ended_on is not None and root.terms.ended_on <= day:
        return _finished(work, root, "known")
    ended = root.ended(day, code, source)
    work.put_mandate(ended)
    detail = " ".join(filter(None, (str(day), code, source)))
    work.note_mandate(ended, root.state, MandateEvent.ENDED, detail)
    reached = 0
    for loan_id in work.aggregates.under_mandates.get(root.ref, ()):
        if work.loan(loan_id).mandate.ref == root.ref:
            reached += 1
            _apply(work, loan_id, ended.terms, f"{root.ref} has ended on {day}")
            _stop(work, loan_id, f"mandate {root.ref} has ended on {day}")
    return _finished(work, root, f"ended for {reached} loans")


def _stop(work: Work, loan_id: str, why: str) -> None:
    """Take unsent orders out of their files, and make delinquent what may not be tried again."""
    take_out_unwanted(work, loan_id)
    covered = work.loan(loan_id).mandate.allows(work.today(loan_id))
    for item in work.loan(loan_id).installments:
        if item.state in _MAY_BE_RETRIED and not covered:
            work.move(loan_id, item.number, Event.MANDATE_ENDED, why)


def _clear(work: Work, root: MandateRoot, order: ClearMandate) -> Change | Refusal:
    """End a bar for every loan; what became delinquent waits for an order to retry."""
    if root.terms.bar is None:
        return Refusal("mandate.clear", f"mandate {root.ref} is not barred")
    if refusal := refusal_without_approver(order, "debits go out again"):
        return refusal
    now = replace(root, terms=replace(root.terms, bars=(), cleared_at=work.at))
    work.put_mandate(now)
    work.note_mandate(now, now.state, MandateEvent.CLEARED, f"{root.terms.bar}: {order.proof}")
    work.close_case(casekeys.barred(root.ref), "cleared")
    for loan_id in work.aggregates.under_mandates.get(root.ref, ()):
        clear_reasons(work, loan_id, root.ref)
        if work.loan(loan_id).mandate.ref == root.ref:
            _apply(work, loan_id, now.terms, f"{root.ref} is cleared")
    return _finished(work, now, f"{root.ref} is cleared")


def _replace(work: Work, root: MandateRoot, order: ReplaceMandate) -> Change | Refusal:
    loan = work.loans.get(order.loan)
    if loan is None or loan.mandate.ref != root.ref:
        return Refusal("mandate.loan", f"{order.loan} is no loan under mandate {root.ref}")
    if order.ref == root.ref:
        return Refusal("mandate.same", "a new mandate has a reference of its own")
    terms = Mandate(
        order.ref,
        loan.product.rail,
        root.terms.merchant_id,
        order.account_token,
        order.valid_from,
        order.valid_to,
        order.cap_minor,
        order.attempts_max,
    )
    if refusal := refuses_loan(work, terms, loan.borrower):
        return refusal
    _see_payer(work, root.payer)
    bars = inherited(work, MandateRoot(terms, loan.borrower))
    bar = next((bar for bar in bars if bar.of_account), None)
    if bar is not None and terms.ref not in work.mandate_roots:
        return Refusal("mandate.account", f"its account is barred: {bar}; name another account")
    left = replace(root, loans=root.loans - 1)
    work.put_mandate(left)
    work.note_mandate(left, left.state, MandateEvent.LEFT, loan.id)
    if not left.loans:
        work.close_case(casekeys.barred(root.ref), "no loan is under it")
    terms = put_under(work, loan.id, terms, loan.borrower)
    _apply(work, loan.id, terms, f"{root.ref} is replaced by {order.ref}")
    take_out_unwanted(work, loan.id)
    return _finished(work, root, f"{loan.id} is under {order.ref}")


def _see_payer(work: Work, payer: str) -> None:
    """Ask for the mandates of a payer, whose bars may hold for a new one as well."""
    known = work.aggregates.named_payers
    if known is not None and payer not in known:
        raise Lacks(payers=(payer,))


def _finished(work: Work, root: MandateRoot, note: str) -> Change:
    return replace(work.finish(Done(note=note)), subject=root.subject)


def _apply(work: Work, loan_id: str, terms: Mandate, why: str) -> None:
    """A loan keeps the new terms; what is to be debited of it is looked at again."""
    work.put_loan(replace(work.loan(loan_id), mandate=terms))
    root = work.mandate_roots[terms.ref]
    work.note_mandate(root, root.state, MandateEvent.APPLIED, why, loan_id)
    for item in work.loan(loan_id).installments:
        if item.state in _MAY_BE_RETRIED:
            work.touch(loan_id, item.number)
