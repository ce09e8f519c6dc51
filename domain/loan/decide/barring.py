"""Mandates that are barred: a hard refusal of one order stops every other debit under them.

A closed account, an authority that the payer's bank does not know, a death: the next installment
would be refused for the same reason, whichever loan it is of. The bar is set by the decision that
learns of the refusal, and ends by a person, or for one loan by another mandate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from domain.case.case import Case
from domain.case.kinds import CaseKind
from domain.case.links import Link, LinkTo
from domain.debit.attempt import HardReason
from domain.debit.mandate import BARRING, Bar, MandateEvent, MandateRoot
from domain.loan import casekeys
from domain.loan.change import Lacks
from domain.loan.decide.attempts import find, put_attempt
from domain.loan.retrying import NEVER_AGAIN, NO_REASON, Reason, as_failed

if TYPE_CHECKING:
    from domain.loan.decide.work import Work


def learn_hard(
    work: Work, loan_id: str, order_no: str, reason: Reason, payment: str = "", *, more: bool = True
) -> None:
    """Keep a reason that forbids debits under the mandate of an order, and bar it where it is news.

    What is known of the order is no news, in whatever other words: a class is one fact of a
    refusal, and one of each payment that went back. So what was known when somebody cleared the
    mandate bars nothing again, and what was not known does.

    Args:
        work: the decision.
        loan_id: the loan of the order.
        order_no: the order, which has its attempt.
        reason: class and code.
        payment: the payment that went back; empty where the order was refused.
        more: more of the payment went back now than was known to have gone.
    """
    outcome_class, code = reason
    if outcome_class is None or outcome_class not in NEVER_AGAIN or code == NO_REASON:
        return
    number, attempt = find(work, loan_id, order_no)
    fact = outcome_class, payment
    known = [it for it in attempt.hard if (it.outcome_class, it.payment) == fact]
    if known and not (payment and more):
        return
    kept = tuple(it for it in attempt.hard if it not in known)
    hard = (*kept, HardReason(outcome_class, code, payment))
    put_attempt(work, loan_id, number, replace(attempt, hard=hard))
    if outcome_class in BARRING:
        work.bar(attempt.mandate_ref, Bar(outcome_class, code, order_no))


def learn_cleared(
    work: Work, loan_id: str, order_no: str, reason: Reason, of: Iterable[str]
) -> None:
    """Keep a reason of an order whose mandate was cleared by those who kept it: it bars nothing.

    `of`: what it is a reason of, as in `learn_hard`.
    """
    outcome_class, code = reason
    if outcome_class is not None and outcome_class in NEVER_AGAIN:
        number, attempt = find(work, loan_id, order_no)
        facts = (HardReason(outcome_class, code, it, is_cleared=True) for it in dict.fromkeys(of))
        put_attempt(work, loan_id, number, replace(attempt, hard=tuple(facts)))


def forget_return(work: Work, loan_id: str, order_no: str, payment: str) -> None:
    """No money of a payment went back after all, so nothing forbids debits for it."""
    number, attempt = find(work, loan_id, order_no)
    kept = tuple(it for it in attempt.hard if it.payment != payment)
    put_attempt(work, loan_id, number, replace(attempt, hard=kept))


def clear_reasons(work: Work, loan_id: str, mandate: str) -> None:
    """No reason that is known of the orders made under a mandate forbids debits any more."""
    for item in work.loan(loan_id).installments:
        for attempt in item.attempts:
            if attempt.mandate_ref != mandate:
                continue
            own, known = as_failed(attempt), {it.outcome_class for it in attempt.hard}
            hard = [replace(it, is_cleared=True) for it in attempt.hard]
            if own.outcome_class in NEVER_AGAIN - known:
                hard.append(HardReason(own.outcome_class, own.code, is_cleared=True))
            if hard:
                put_attempt(work, loan_id, item.number, replace(attempt, hard=tuple(hard)))


def bar_mandates(work: Work) -> tuple[MandateRoot, ...]:
    """Bar the mandates of orders that this decision has learned to be refused for good.

    Gives those that were not barred for this before; `domain.loan.decide.mandates` gives their
    terms to the loans under them.

    Raises:
        Lacks: other loans, or other mandates of the account or payer, are to be looked at as well.
    """
    news = tuple(dict.fromkeys(work.new_bars))
    _see_all(work, news)
    barred: dict[str, MandateRoot] = {}
    for ref, bar in news:
        for root in _reached(work, ref, bar):
            if not _has(root, bar):
                barred[root.ref] = put_bar(work, root, bar)
    return tuple(barred.values())


def put_bar(work: Work, root: MandateRoot, bar: Bar) -> MandateRoot:
    """Bar one mandate, with its case."""
    now = replace(root, terms=replace(root.terms, bars=(*root.terms.bars, bar)))
    work.put_mandate(now)
    work.note_mandate(now, now.state, MandateEvent.BARRED, str(bar))
    open_bar_case(work, now)
    return now


def open_bar_case(work: Work, root: MandateRoot) -> None:
    """Have a person look at a barred mandate; an open case says all its bars."""
    bars = root.terms.bars
    text = f"nothing is debited under mandate {root.ref}: {'; '.join(map(str, bars))}"
    orders = tuple(Link(LinkTo.ORDER, bar.order_no) for bar in bars)
    key, kind = casekeys.barred(root.ref), CaseKind.MANDATE_BARRED
    work.reword_case(key, text)
    work.open_case(Case(key, kind, text, code=bars[0].code, links=orders))


def inherited(work: Work, root: MandateRoot) -> tuple[Bar, ...]:
    """The bars of other mandates of its account and its payer that hold for a mandate as well."""
    found: dict[str, Bar] = {}
    for other in sorted(work.mandate_roots.values(), key=lambda it: it.ref):
        for bar in other.terms.bars:
            if other.ref != root.ref and _reaches(bar, other, root):
                found.setdefault(bar.outcome_class, bar)
    return tuple(found.values())


def _has(root: MandateRoot, bar: Bar) -> bool:
    return any(it.outcome_class is bar.outcome_class for it in root.terms.bars)


def _reaches(bar: Bar, of: MandateRoot, other: MandateRoot) -> bool:
    """Whether the bar of an order under one mandate holds for another mandate."""
    same_account = of.terms.account_token == other.terms.account_token
    return (bar.of_payer and of.payer == other.payer) or (bar.of_account and same_account)


def _see_all(work: Work, news: Iterable[tuple[str, Bar]]) -> None:
    """Ask for whatever mandates the news may reach, and the command does not name."""
    known = work.aggregates
    refs = {ref for ref, _ in news} - (known.named_mandates or set())
    if known.named_mandates is not None and refs:
        raise Lacks(mandates=refs)
    roots = [(work.mandate_roots[ref], bar) for ref, bar in news if ref in work.mandate_roots]
    accounts = {root.terms.account_token for root, bar in roots if bar.of_account}
    payers = {root.payer for root, bar in roots if bar.of_payer}
    accounts -= accounts if known.named_accounts is None else known.named_accounts
    payers -= payers if known.named_payers is None else known.named_payers
    if accounts or payers:
        raise Lacks(accounts=accounts, payers=payers)


def _reached(work: Work, ref: str, bar: Bar) -> Iterator[MandateRoot]:
    """The mandate of an order; where account or payer is refused, every other one of it."""
    of = work.mandate_roots.get(ref)
    if of is not None:
        roots = sorted(work.mandate_roots.values(), key=lambda other: other.ref)
        yield from (it for it in roots if it.ref == ref or _reaches(bar, of, it))
