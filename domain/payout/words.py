"""A payout in words: what changed, and what is."""

from collections.abc import Iterator

from domain.money import amount_text
from domain.payout.view import PayoutView


class PayoutWords:
    """Implements `domain.kernel.words.Words`."""

    def changes(self, old: PayoutView, new: PayoutView) -> Iterator[str]:
        """What changed between two views that people ask about, each in a few words."""
        was, now = old.detail, new.detail
        if now.attempt_state != was.attempt_state:
            code = f" ({new.labels.code})" if new.labels.code else ""
            yield f"order {now.attempt_state.lower()}{code}"
        if now.approved_by != was.approved_by:
            yield f"approved by {', '.join(now.approved_by)}"

    def parts(self, view: PayoutView) -> Iterator[str]:
        """What is, in Markdown: state, amount, payee, account, cut-off, items and order."""
        labels, detail = view.labels, view.detail
        amount = amount_text(labels.amount_minor, labels.currency)
        yield f"**{view.state}**, {amount} to {labels.owner} from {detail.account}"
        if (refund := detail.refund) is not None:
            yield f"refund of payment {refund.payment}, {refund.status}, due by {refund.due_on}"
            if refund.twins:
                yield f"duplicate of {', '.join(refund.twins)}"
        else:
            yield f"cut-off of {labels.due_on}, request {detail.number}, {detail.items} items"
        if detail.attempt_state:
            code = f" (code {labels.code})" if labels.code else ""
            yield f"order {detail.order_no} {detail.attempt_state.lower()}{code}"

    def summary(self, view: PayoutView) -> str:
        """Payee and day: what labels say, since whoever starts the driver has read no more."""
        return f"payout to {view.labels.owner}, cut-off of {view.labels.due_on}"


PAYOUT_WORDS = PayoutWords()
