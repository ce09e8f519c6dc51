"""Part of a loan repaid early: what the money pays first, and the schedule that follows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from domain.errors import InvalidInput
from domain.pricing.amounts import Component
from domain.pricing.payoff import EarlyFee, PayoffQuote, QuotePart, fee_of, quote
from domain.pricing.restructure import Effect, reamortise
from domain.pricing.schedule import ScheduleLine, ScheduleTerms


@dataclass(frozen=True, slots=True)
class Prepayment:
    """What an early amount pays and what is left of the loan; minor units.

    `lines` are those after `as_of`, numbered on; `left` could not be used.
    """

    as_of: date
    parts: tuple[QuotePart, ...]
    principal: int
    lines: tuple[ScheduleLine, ...]
    left: int


def prepay(
    terms: ScheduleTerms,
    lines: Sequence[ScheduleLine],
    as_of: date,
    amount_minor: int,
    effect: Effect,
    fee: EarlyFee | None = None,
) -> Prepayment:
    """Repay part of the principal early; every installment due up to `as_of` is paid.

    The amount pays the interest accrued to date, then principal and the fee on it. With
    `next-installments` and `last-installments` the schedule stays as it is, nothing accrues and no
    fee is asked: the amount pays installments whole, from that end, as far as it reaches.

    Raises:
        InvalidInput: the amount does not cover the accrued interest, or would end the loan.
    """
    due = sum(line.due_on <= as_of for line in lines)
    if effect in {Effect.NEXT_INSTALLMENTS, Effect.LAST_INSTALLMENTS}:
        return _by_installments(lines[due:], as_of, amount_minor, effect)
    whole = quote(terms, lines, as_of, paid_through=due, fee=fee)
    accrued = whole.of(Component.INTEREST)
    if not accrued < amount_minor < whole.total:
        rule = f"minor units above {accrued} (interest accrued), below {whole.total} (payoff)"
        raise InvalidInput("amount", amount_minor, rule)
    principal, charged = _principal_and_fee(lines, whole, amount_minor - accrued, fee)
    balance = whole.of(Component.PRINCIPAL) - principal
    parts = (
        *(part for part in whole.parts if part.component is Component.INTEREST),
        QuotePart(Component.PRINCIPAL, principal, "principal repaid early"),
        charged,
    )
    new = reamortise(terms, lines, as_of, balance, effect)
    left = amount_minor - accrued - principal - charged.minor
    return Prepayment(as_of, tuple(part for part in parts if part.minor), principal, new, left)


def _principal_and_fee(
    lines: Sequence[ScheduleLine], whole: PayoffQuote, money: int, fee: EarlyFee | None
) -> tuple[int, QuotePart]:
    """The most principal that `money` repays together with the fee on it."""

    def charged(principal: int) -> QuotePart:
        return fee_of(fee, principal, lines[-1].due_on, whole.as_of, whole.interest_saved)

    low, high = 0, money
    while low < high:  # ends: the span is halved each time
        middle = (low + high + 1) // 2
        if middle + charged(middle).minor <= money:
            low = middle
        else:
            high = middle - 1
    return low, charged(low)


def _by_installments(
    open_lines: Sequence[ScheduleLine], as_of: date, amount_minor: int, effect: Effect
) -> Prepayment:
    ordered = open_lines if effect is Effect.NEXT_INSTALLMENTS else open_lines[::-1]
    left, parts, principal = amount_minor, [], 0
    paid = set()
    for line in ordered:
        if line.total > left:
            break
        left -= line.total
        principal += line.principal
        paid.add(line.number)
        parts.append(
            QuotePart(
                Component.PRINCIPAL, line.principal, f"principal of installment {line.number}"
            )
        )
        parts.append(
            QuotePart(Component.INTEREST, line.interest, f"interest of installment {line.number}")
        )
        parts.append(QuotePart(Component.FEE, line.fee, f"fee of installment {line.number}"))
    kept = tuple(line for line in open_lines if line.number not in paid)
    return Prepayment(as_of, tuple(part for part in parts if part.minor), principal, kept, left)
