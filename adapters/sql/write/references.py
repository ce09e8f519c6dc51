"""What the references that a group names lead to."""

from dataclasses import dataclass, field

from adapters.sql.write.changed import changed_installments
from domain.debit.attempt import Attempt
from domain.debit.mandate import MandateRoot
from domain.loan.aggregate import LineState, Loan
from domain.payment.payment import Payment
from domain.payout.payout import Payout


@dataclass(slots=True)
class References:
    """What each reference leads to: loans, unless the field says otherwise.

    A reference that leads to nothing is absent.
    """

    orders: dict[str, str] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    payments: dict[str, set[str]] = field(default_factory=dict)
    """Payments, not loans: by our id, or by the payer's reference, which may repeat."""
    sharing: dict[str, set[str]] = field(default_factory=dict)
    """The loans in which a portion of a payment stands, by its id."""
    under_mandates: dict[str, set[str]] = field(default_factory=dict)
    accounts: dict[str, set[str]] = field(default_factory=dict)
    """Mandates, not loans: those that are barred with their account, by its token."""
    payers: dict[str, set[str]] = field(default_factory=dict)
    """Mandates, not loans: those that are barred with their payer, by the payer."""
    of_accounts: dict[str, set[str]] = field(default_factory=dict)
    """Mandates, not loans: all that debit an account, by its token."""
    of_payers: dict[str, set[str]] = field(default_factory=dict)
    """Mandates, not loans: all that a payer gave."""
    batches: dict[str, set[str]] = field(default_factory=dict)
    lines: dict[str, set[str]] = field(default_factory=dict)
    """Those that open cases about a line name: they are looked at again when the cases end."""
    cases: dict[str, set[str]] = field(default_factory=dict)
    """The loans that cases are about, by key."""
    groups: dict[str, set[str]] = field(default_factory=dict)
    """Keys of the cases that each group of lines of one file has been given."""
    payouts: dict[str, set[str]] = field(default_factory=dict)
    """Payouts, not loans: by key, or by order number."""
    waiting: dict[str, set[str]] = field(default_factory=dict)
    """Lines, not loans: those that carry a reference which nobody knew when they came."""

    def loans(self) -> set[str]:
        """Every loan that some reference leads to."""
        found = {*self.orders.values(), *self.messages.values()}
        by_name = (self.sharing, self.under_mandates, self.batches, self.lines, self.cases)
        sets = (loans for found in by_name for loans in found.values())
        return found.union(*sets)

    def learn(self, before: Loan | None, after: Loan) -> None:
        """Take in what a change added, so that the next command of the group finds it."""
        self.under_mandates.setdefault(after.mandate.ref, set()).add(after.id)
        for item in changed_installments(before, after):
            for attempt in item.attempts:
                self._learn_attempt(after.id, attempt)
            for notice in item.notices:
                self.messages[notice.message_id] = after.id

    def learn_mandate(self, root: MandateRoot) -> None:
        """Take in a mandate, so that the next command of the group finds it and its bars."""
        token, payer, bars = root.terms.account_token, root.payer, root.terms.bars
        self.of_accounts.setdefault(token, set()).add(root.ref)
        self.of_payers.setdefault(payer, set()).add(root.ref)
        if any(bar.of_account for bar in bars):
            self.accounts.setdefault(token, set()).add(root.ref)
        if any(bar.of_payer for bar in bars):
            self.payers.setdefault(payer, set()).add(root.ref)

    def learn_payment(self, payment: Payment) -> None:
        """Take in a payment, so that the next command of the group finds it and its loans."""
        for name in {payment.id, payment.reference} - {""}:
            self.payments.setdefault(name, set()).add(payment.id)
        self.sharing.setdefault(payment.id, set()).update(payment.loans)

    def learn_payout(self, payout: Payout) -> None:
        """Take in a payout, so that the next command of the group finds it."""
        for name in (payout.key, payout.order_no):
            self.payouts[name] = {payout.key}

    def learn_line(self, line: LineState) -> None:
        """Take in a line, so that the next command of the group finds what waits on it."""
        for item in line.waiting:
            for ref in item.refs:
                self.waiting.setdefault(ref, set()).add(line.id)

    def _learn_attempt(self, loan_id: str, attempt: Attempt) -> None:
        self.orders[attempt.order_no] = loan_id
        self.under_mandates.setdefault(attempt.mandate_ref, set()).add(loan_id)
        if attempt.batch_ref:
            self.batches.setdefault(attempt.batch_ref, set()).add(loan_id)
