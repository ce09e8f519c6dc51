"""An installment in words: what changed, and what is."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from domain.kernel.view import View
from domain.loan.view import InstallmentDetail, InstallmentView
from domain.money import amount_text

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "SUCCESS_DEFECTIVE": "money was taken, with a fault",
        "PARTIAL": "less than ordered was taken",
        "NOT_FOUND": "the rail does not know the order",
        "NSF": "not enough money on the account",
        "LIMIT": "a limit of the rail or of the payer's bank",
        "DECLINED": "refused without a usable reason",
        "ACCOUNT": "the account is closed, blocked or wrong",
        "MANDATE": "no valid mandate",
        "PAYER_STOP": "stopped by the payer",
        "DISPUTE": "disputed by the payer",
        "DECEASED": "the payer has died",
        "RISK_REJECT": "blocked by risk rules",
        "TECH": "technical fault or no answer",
        "DATA_ERROR": "our message was wrong",
        "DUPLICATE": "the rail has seen this number",
        "LATE_RETURN": "taken back after success",
        "UNKNOWN_CODE": "a code that no table holds",
    }
)
"""What the classes of codes mean, in words; a class that is not here is shown by its name."""


class InstallmentWords:
    """Implements `domain.kernel.words.Words`."""

    def changes(self, old: InstallmentView, new: InstallmentView) -> Iterator[str]:
        """What changed between two views that people ask about, each in a few words."""
        was, now = old.labels, new.labels
        tried = (now.attempt_no, new.detail.attempt_state)
        if tried != (was.attempt_no, old.detail.attempt_state):
            code = f" ({now.code})" if now.code else ""
            yield f"attempt {now.attempt_no} {new.detail.attempt_state}{code}"
        if now.due_on != was.due_on:
            yield f"due on {now.due_on}"
        if new.detail.hold != old.detail.hold:
            yield f"hold {new.detail.hold}" if new.detail.hold else "no longer held"

    def parts(self, view: InstallmentView) -> Iterator[str]:
        """What is, in Markdown: amount owed, due date with its zone, the last debit, open cases."""
        labels, detail = view.labels, view.detail
        yield f"**{view.state}**, {owed(view)}, due {labels.due_on} ({detail.timezone})"
        if labels.attempt_no:
            yield f"debit {labels.attempt_no} {detail.attempt_state.lower()}{_code(view)}"
        if detail.cases:
            yield f"open cases: {', '.join(detail.cases)}"

    def summary(self, view: InstallmentView) -> str:
        """Number, loan and due date."""
        labels = view.labels
        return f"installment {labels.number} of {labels.loan_id}, due {labels.due_on}"


INSTALLMENT_WORDS = InstallmentWords()


def owed(view: View[InstallmentDetail]) -> str:
    """What is owed, as people write an amount: `101.00 CNY owed`."""
    return f"{amount_text(view.labels.amount_minor, view.labels.currency)} owed"


def _code(view: InstallmentView) -> str:
    """The code of the last debit and what it means."""
    code, outcome_class = view.labels.code, view.detail.failure_class
    if not code:
        return ""
    meaning = MEANINGS.get(outcome_class, outcome_class)
    return f" (code {code}{f': {meaning}' if meaning else ''})"
