"""What upstream says of a new loan, and who makes terms, schedule and mandate of it."""

from dataclasses import dataclass
from typing import Protocol

from domain.loan.boarding import BoardLoan


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


class Boarding(Protocol):
    """Turns an application into the command that boards it; pure, by product and calendar."""

    def command(self, application: LoanApplication) -> BoardLoan:
        """The command, the same for the same application.

        Raises:
            InvalidInput: the first field that breaks a rule.
        """
        ...
