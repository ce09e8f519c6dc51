"""Mandates that are barred: a hard refusal of one order stops every other debit under them.

A closed account, an authority that the payer's bank does not know, a death: the next installment
would be refused for the same reason, whichever loan it is of. The bar is set by the decision that
learns of the refusal, and ends by a person, or for one loan by another mandate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.debit.attempt import Attempt
from domain.debit.mandate import BARRING, Bar, Mandate, MandateEvent, MandateRoot
from domain.loan import casekeys
from domain.loan.change import Lacks
from domain.loan.retrying import strictest_reason

if TYPE_CHECKING:
    from domain.loan.decide.work import Work


def bar_mandates(work: Work) -> tuple[MandateRoot, ...]:
    """Bar the mandates of orders that this decision has learned to be refused for good.

    Gives those that were not barred before; `domain.loan.decide.mandates` gives their terms to the
    loans under them.

    Raises:
        Lacks: other loans, or other mandates of the account, are to be looked at as well.
    """
    barred = []
    for attempt, bar in _news(work):
        for root in _reached(work, attempt.mandate_ref, bar):
            cleared = root.terms.cleared_at
            learned = attempt.last_news_at or work.at
            if root.terms.bar is None and (cleared is None or learned > cleared):
                barred.append(put_bar(work, root, bar))
    return tuple(barred)


def put_bar(work: Work, root: MandateRoot, bar: Bar) -> MandateRoot:
    """Bar one mandate, with its case."""
    now = replace(root, terms=replace(root.terms, bar=bar))
    work.put_mandate(now)
    work.note_mandate(now, now.state, MandateEvent.BARRED, str(bar))
    text = f"nothing is debited under mandate {root.ref}: {bar}"
    key, kind = casekeys.barred(root.ref), CaseKind.MANDATE_BARRED
    order = Link(LinkTo.ORDER, bar.order_no)
    work.open_case(Case(key, kind, text, code=bar.code, links=(order,)))
    return now


def account_bar(work: Work, terms: Mandate) -> Bar | None:
    """The bar of another mandate to debit the same account, where it is about the account."""
    others = (root.terms for root in work.mandate_roots.values() if root.ref != terms.ref)
    bars = (it.bar for it in others if it.account_token == terms.account_token)
    return next((bar for bar in bars if bar is not None and bar.of_account), None)


def _news(work: Work) -> Iterator[tuple[Attempt, Bar]]:
    """Orders whose strictest reason is a hard one that was not known of them before."""
    for loan_id in sorted(work.changed_loans):
        before = work.aggregates.loans.get(loan_id)
        for item in work.loan(loan_id).installments:
            known = before.installment(item.number).attempts if before is not None else ()
            if item.attempts is known:
                continue
            for index, attempt in enumerate(item.attempts):
                was = known[index] if index < len(known) else None
                bar = _bar_of(attempt)
                if bar is not None and (was is None or _bar_of(was) != bar):
                    yield attempt, bar


def _bar_of(attempt: Attempt) -> Bar | None:
    """The bar that follows from what is known of an order, if one does."""
    reason = strictest_reason(attempt)
    if reason is not None and reason[0] in BARRING:
        return Bar(reason[0], reason[1], attempt.order_no)
    return None


def _reached(work: Work, ref: str, bar: Bar) -> Iterator[MandateRoot]:
    """The mandate of an order; and where the account is refused, every mandate to debit it."""
    aggregates = work.aggregates
    if aggregates.named_mandates is not None and ref not in aggregates.named_mandates:
        raise Lacks(mandates=(ref,))
    root = work.mandate_roots.get(ref)
    if root is None:
        return
    token = root.terms.account_token
    if not bar.of_account:
        yield root
        return
    if aggregates.named_accounts is not None and token not in aggregates.named_accounts:
        raise Lacks(accounts=(token,))
    roots = sorted(work.mandate_roots.values(), key=lambda other: other.ref)
    yield from (other for other in roots if other.terms.account_token == token)
