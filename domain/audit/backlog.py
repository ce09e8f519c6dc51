"""Items that are paid and not closed, each explained, and the figures of how closing goes.

An item is an installment, or the closure of a loan. For each: its age, what it lacks and who must
supply that, what was tried, whether it is within its time, and what comes next.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from math import ceil

from domain.calendar import local_day
from domain.case.case import Case
from domain.case.kinds import CASE_RULES
from domain.loan import closing, closure
from domain.loan.aggregate import Installment, Loan, Rulebook
from domain.loan.lifecycle import State
from domain.loanclosure.closure import Leg, LoanClosure
from domain.loanclosure.lifecycle import CLOSURE_FINAL, ClosureState, LegState
from domain.loanclosure.rules import ClosingRules, DoneBy

PAID = frozenset({State.CLEARING, State.SETTLED, State.RELEASED})
"""States of an installment that is paid and not closed."""
NEXT = {
    "unproven": "the statement that shows the money; then match its line",
    "return_window": "the end of the return window; the daily sweep sees it",
    "live_attempt": "the outcome of the debit; the rail is asked",
    "waiting": "the placing of money that waits",
    "hold": "the end of the hold",
    "case": "the end of a case; see `acquit cases`",
    "held": "a line on the payee's own account",
    "remittance": "the payee's next cut-off, or `acquit remit`",
    "installments": "its installments; each is listed by itself",
    "suspense": "money of the loan that waits: apply or give it back",
    "advance": "money paid ahead: apply or give it back",
    "receivable": "what a party has to give back; see `acquit cases --kind receivable`",
    "seal": "a checkpoint of the ledger; the driver makes it",
}
"""What an item waits for, by the code of what it lacks."""
_WHO = {"installments": "calendar", "suspense": "operations", "advance": "operations"}
_BY = {DoneBy.BOOKS: "books", DoneBy.RAIL: "rail", DoneBy.ISSUER: "issuer",
       DoneBy.NOTICE: "carrier", DoneBy.HAND: "operations"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lack:
    """One missing thing: its code, who must supply it, and what was tried or is known of it."""

    code: str
    who: str
    tried: str = ""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """One installment or closure that is paid and not closed. Amount in minor units.

    Attributes:
        number: of the installment; None for the closure of the loan.
        paid_on: the value date of the money that paid the last of it.
        due_on: by when it was to be closed, by the rules of its product.
    """

    loan_id: str
    number: int | None
    state: str
    generation: int
    paid_on: date
    age_days: int
    due_on: date
    amount_minor: int
    currency: str
    lacks: tuple[Lack, ...]
    is_late: bool
    next_step: str

    @property
    def key(self) -> str:
        """How it is named."""
        return self.loan_id if self.number is None else f"{self.loan_id}/{self.number}"


@dataclass(frozen=True, slots=True)
class Figures:
    """How closing goes. Rates are fractions of 1, None where nothing was counted."""

    count: int
    late: int
    amounts: Mapping[str, int]
    by_party: Mapping[str, int]
    p95_age_days: int
    max_age_days: int
    closed: int
    in_time_rate: Fraction | None
    reopened_rate: Fraction | None


def open_items(
    loan: Loan, cases: Mapping[str, Case], rules: Rulebook, at: datetime
) -> Iterator[OpenItem]:
    """What of a loan is paid and not closed; `cases` are the open ones about it."""
    for item in loan.installments:
        if item.state in PAID:
            yield _installment(loan, item, cases, rules, at)
    known, asked = loan.closing, loan.product.closing
    if known is not None and asked is not None and known.state not in CLOSURE_FINAL:
        yield _closure(loan, known, asked, cases, rules, at)


def due_on(loan: Loan, item: Installment, rules: Rulebook) -> date:
    """By when a paid installment is to be closed: its money proven, its return window over."""
    calendar = rules.calendar(loan.product.calendar)
    days = loan.product.closure.settlement_banking_days
    proven_by = calendar.add_banking_days(_paid_on(loan, item), days)
    return max(proven_by, closure.window_ends(loan, item, rules))


def _paid_on(loan: Loan, item: Installment) -> date:
    days = [one.value_on for one in closure.paying(loan, item)]
    return max(days, default=item.due_on)


def _installment(
    loan: Loan, item: Installment, cases: Mapping[str, Case], rules: Rulebook, at: datetime
) -> OpenItem:
    missing = closure.missing(loan, item, cases, rules, at)
    lacks = tuple(dict.fromkeys(_lack(one, loan, item, cases) for one in missing))
    today, paid_on, due = _today(loan, at), _paid_on(loan, item), due_on(loan, item, rules)
    return OpenItem(
        loan_id=loan.id,
        number=item.number,
        state=item.state.value,
        generation=item.generation,
        paid_on=paid_on,
        age_days=(today - paid_on).days,
        due_on=due,
        amount_minor=item.allocated.total,
        currency=loan.currency,
        lacks=lacks,
        is_late=today > due,
        next_step=_next(lacks),
    )


def _lack(
    missing: closure.Missing, loan: Loan, item: Installment, cases: Mapping[str, Case]
) -> Lack:
    """What one missing thing of an installment is, with what is known of it."""
    tried = ""
    if missing.code == "case":
        mine = sorted(one.key for one in cases.values() if one.is_about(loan.id, item.number))
        tried = ", ".join(mine)
    elif missing.code in {"unproven", "live_attempt"} and item.attempts:
        last = item.attempts[-1]
        tried = f"order {last.order_no} {last.state.value}, {last.inquiries} inquiries"
    return Lack(missing.code, missing.who, tried)


def _closure(
    loan: Loan,
    known: LoanClosure,
    asked: ClosingRules,
    cases: Mapping[str, Case],
    rules: Rulebook,
    at: datetime,
) -> OpenItem:
    legs = [_of_leg(leg, asked) for leg in known.undone]
    runs = known.state is ClosureState.RUNNING
    codes = [*closing.lacks(loan, cases)] if runs else ["seal"] if not legs else []
    lacks = (*legs, *(Lack(code, _WHO.get(code, _owner(code, cases))) for code in codes))
    today = _today(loan, at)
    dues = [local_day(leg.due_at, loan.product.timezone) for leg in known.undone if leg.due_at]
    last = max(due_on(loan, item, rules) for item in loan.installments)
    due = max([last, *dues])
    late = today > due or any(leg.state is LegState.OVERDUE for leg in known.undone)
    return OpenItem(
        loan_id=loan.id,
        number=None,
        state=known.state.value,
        generation=known.generation,
        paid_on=known.value_on,
        age_days=(today - known.value_on).days,
        due_on=due,
        amount_minor=sum(item.allocated.total for item in loan.installments),
        currency=loan.currency,
        lacks=lacks,
        is_late=late,
        next_step=_next(lacks),
    )


def _owner(code: str, cases: Mapping[str, Case]) -> str:
    owners = sorted({CASE_RULES[one.kind].owner for one in cases.values() if one.is_open})
    return ", ".join(owners) if code == "case" and owners else "books"


def _of_leg(leg: Leg, rules: ClosingRules) -> Lack:
    """What an undone leg lacks, and how often it was asked for and about."""
    by = rules.done_by(leg.kind)
    who = rules.rule(leg.kind).channel or _BY[by]
    code = f", code {leg.code}" if leg.code else ""
    tried = f"{leg.state.value.lower()}, {leg.tries} requests, {leg.inquiries} inquiries{code}"
    return Lack(leg.kind.value, who, tried)


def _next(lacks: Sequence[Lack]) -> str:
    """What comes next for an item: what the first thing that it lacks waits for."""
    if not lacks:
        return "nothing is missing: the next look closes it"
    first = lacks[0]
    leg = f"{first.code.replace('_', ' ')} by {first.who}; see `acquit closure`"
    return NEXT.get(first.code, leg)


def _today(loan: Loan, at: datetime) -> date:
    return local_day(at, loan.product.timezone)


def figures(items: Sequence[OpenItem], closed_in_time: int, closed: int, reopened: int) -> Figures:
    """The figures of open items and of those that were closed in a span of days.

    An open item that is late counts as one that missed its time; `reopened` are those of both that
    had been closed before.
    """
    ages = sorted(item.age_days for item in items)
    amounts: dict[str, int] = {}
    parties: dict[str, int] = {}
    for item in items:
        if item.number is not None:
            amounts[item.currency] = amounts.get(item.currency, 0) + item.amount_minor
        for who in sorted({lack.who for lack in item.lacks}):
            parties[who] = parties.get(who, 0) + 1
    late = sum(item.is_late for item in items)
    judged, seen = closed + late, closed + len(items)
    return Figures(
        count=len(items),
        late=late,
        amounts=amounts,
        by_party=parties,
        p95_age_days=ages[ceil(len(ages) * 95 / 100) - 1] if ages else 0,
        max_age_days=ages[-1] if ages else 0,
        closed=closed,
        in_time_rate=Fraction(closed_in_time, judged) if judged else None,
        reopened_rate=Fraction(reopened, seen) if seen else None,
    )
