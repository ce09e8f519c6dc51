"""What upstream says of a new loan, and who makes terms, schedule and mandate of it."""

from dataclasses import dataclass
from typing import Protocol

from domain.loan.boarding import BoardLoan

PRIVATE = frozenset(
    {"borrower", "account_token", "evidence", "reference", "advance_ref", "hold_reason"}
)
"""Fields and columns whose value may name a person or an account; no error repeats one."""
HIDDEN = "(not shown)"
"""In place of such a value."""


def is_private(field: str) -> bool:
    """Whether the value at the path of a field may name a person or an account."""
    return field.partition(".")[0] in PRIVATE or field.rpartition(".")[2] in PRIVATE


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationEvent:
    """One row of the history of a loan in progress: text as in the history file of a tape.

    Attributes:
        installment: its number in the schedule, from 1.
        event: `paid`, `waived`, `written_off`, `penalty` (what was charged in all), `charged` (fees
            and costs besides the schedule), `cancelled`, `attempt`, `held`, or `advance` (a part of
            what was paid ahead that is expected under a reference of its own).
        on: YYYY-MM-DD; empty for payments whose day is not known.
        principal, interest, fee, penalty, cost: decimal amounts.
        amount, order_no, mandate_ref, outcome, code, outcome_class: of an attempt; `order_no` also
            of a payment that an attempt brought, `amount` also of an advance. Outcomes are
            `confirmed`, `declined`, `returned`, `pending`, `unknown`, `not_executed` and
            `recalled`; the class is that of the code unless it is given.
        reference: what the payer calls a payment.
        unplaced, returned: what of a debit nothing owed could take, and what of it came back while
            the rest was kept; decimal amounts.
        bank_ref: the rail's names of all bookings of a debit, separated by blanks.
        cleared: `yes` where two people have cleared the mandate since the attempt was refused.
        plan: of an attempt `counts` where the retry plan counts it, `past` where it was begun anew
            after it.
        hold, reason: what somebody has stopped (`debit`, `contact` or `all`), and why; `on` since
            when.
    """

    installment: str
    event: str
    on: str = ""
    principal: str = ""
    interest: str = ""
    fee: str = ""
    penalty: str = ""
    cost: str = ""
    amount: str = ""
    order_no: str = ""
    mandate_ref: str = ""
    outcome: str = ""
    code: str = ""
    outcome_class: str = ""
    reference: str = ""
    unplaced: str = ""
    returned: str = ""
    hold: str = ""
    reason: str = ""
    bank_ref: str = ""
    cleared: str = ""
    plan: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationOpening:
    """What a loan in progress brings from the system that kept it before.

    Attributes:
        as_of: YYYY-MM-DD, the last day whose facts are in it.
        holder: a token for the party that took the money so far.
        evidence: what that system calls the proof of its statement.
        advance: decimal amount that was paid ahead in all and not placed; `advance_ref` the
            reference under which it is expected, apart from rows of `advance`.
        hold, hold_reason, hold_since: what somebody has stopped for the whole loan, why, and since
            when.
        barred_by: why the mandate is barred: class, code (or `-`) and order of each bar, as words.
        history: what was done, in any order.
    """

    as_of: str
    holder: str
    evidence: str
    advance: str = ""
    advance_ref: str = ""
    hold: str = ""
    hold_reason: str = ""
    hold_since: str = ""
    barred_by: str = ""
    history: tuple[ApplicationEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class LoanApplication:
    """A loan as upstream sends it: text as in a canonical tape, so that nothing is lost.

    Attributes:
        product: id of a product, or `id@version`.
        principal: decimal, in units of the currency, such as `12000.50`.
        annual_rate: decimal, percent a year.
        disbursed_on, first_due_on, mandate_valid_to: YYYY-MM-DD; empty where optional.
        borrower, account_token: tokens; never a name, a number of a person or of an account.
        past: what became of installments that fell due before the day of boarding: `ignore`
            (settled elsewhere), `owed` (debited at once); empty or `refuse` to have a loan refused
            that has some.
        mandate_valid_from, mandate_ended_on: YYYY-MM-DD, of loans in progress; the mandate begins
            with the lending, and has not ended, unless given.
        opening: what a loan in progress brings; none for a loan that begins here.
        schedule: rows agreed upstream, in order, as (due_on, principal, interest, fee); empty to
            have the schedule computed from the terms.
    """

    tenant: str
    loan_id: str
    borrower: str
    product: str
    principal: str
    annual_rate: str
    periods: str
    disbursed_on: str
    mandate_ref: str
    account_token: str
    currency: str = ""
    first_due_on: str = ""
    installment: str = ""
    merchant_id: str = ""
    mandate_cap: str = ""
    mandate_valid_to: str = ""
    schedule: tuple[tuple[str, str, str, str], ...] = ()
    past: str = ""
    mandate_valid_from: str = ""
    mandate_ended_on: str = ""
    opening: ApplicationOpening | None = None


class Boarding(Protocol):
    """Turns an application into the command that boards it; pure, by product and calendar."""

    def command(self, application: LoanApplication) -> BoardLoan:
        """The command, the same for the same application.

        Raises:
            InvalidInput: the first field that breaks a rule.
        """
        ...
