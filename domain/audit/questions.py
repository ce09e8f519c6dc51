"""Questions that the books answer by themselves, each about many items at once.

A question states what must never be found, and how it is reported where it is. Whoever keeps the
books answers with one row for each breach; the columns of a row are the names in braces, `minor`
and `currency`. A question that says `{gate}` is asked of every gate that was ever passed, as the
books stood then: after the command that passed it.
"""

from collections.abc import Mapping
from enum import Enum

from domain.audit.findings import Finding, FindingKind

_K = FindingKind
_ITEM, _PART, _PAYMENT = "{loan}/{number}", "{loan}/{number}/{component}", "{loan} {payment}"


class Question(Enum):
    """What must not be found: the kind of the finding, its subject, and the fault in words."""

    ENTRY = (_K.UNBALANCED, "entry {seq}", "postings do not sum to zero")
    """An entry whose postings in one currency do not sum to zero."""
    TOTAL = (_K.UNBALANCED, "all postings", "do not sum to zero")
    """A currency of which all postings together do not sum to zero."""

    CLEARING = (
        *(_K.ITEMS_DIFFER, _PAYMENT),
        "clearing is {journal} in the journal and {kept} by its payment",
    )
    """A payment that has another amount in clearing than it is kept with."""
    SUSPENSE = (
        *(_K.ITEMS_DIFFER, _PAYMENT),
        "suspense is {journal} in the journal and {kept} by its payment",
    )
    """A payment of which another amount waits than it is kept with."""
    LINE = (
        *(_K.ITEMS_DIFFER, "{line}"),
        "suspense is {journal} in the journal and {kept} by its bank line",
    )
    """A bank line on which another amount waits than it is kept with."""
    ADVANCE = (
        *(_K.ITEMS_DIFFER, _PAYMENT),
        "advance is {journal} in the journal and {kept} by its payment",
    )
    """A payment of which another amount is paid ahead than is neither returned, waiting, nor
    allocated."""
    SHARES = (
        *(_K.ITEMS_DIFFER, _PART),
        "payable is {journal} in the journal and {kept} by what was allocated",
    )
    """A component whose payable shares are not what was allocated less what parties hold."""
    PAYABLE = (
        *(_K.ITEMS_DIFFER, "{loan}/{number}/{component} {party} {payment} {place}"),
        "payable is {journal} in the journal and {kept} by its item",
    )
    """A payable item of which the journal says another amount than is open, in payouts that are
    live, and remitted."""
    RECEIVABLE = (
        *(_K.ITEMS_DIFFER, "{loan}/{number}/{component} {party} {payment} {place}"),
        "receivable is {journal} in the journal and {kept} by its item",
    )
    """A share to be given back of which the journal says another amount than is kept."""
    PAYING = (
        *(_K.ITEMS_DIFFER, "{payout}"),
        "paying is {journal} in the journal and {kept} by its payout",
    )
    """A payout under way whose amount is not what the journal has as paying, or one that is not."""
    PAYOUT_ITEMS = (
        *(_K.ITEMS_DIFFER, "{payout}"),
        "its items sum to {journal} and it is kept with {kept}",
    )
    """A payout whose items are not what it pays."""
    CLAIMS = (
        *(_K.ITEMS_DIFFER, _PART),
        "claim is {journal} in the journal and {kept} by what is owed, forgiven or written off",
    )
    """A component whose claims are not what is owed, forgiven, written off and subrogated."""
    NO_ITEM = (_K.ITEMS_DIFFER, "{account}", "a posting of entry {seq} names no item")
    """A posting to an account that is read by item, for no item."""
    MONEY_SIDE = (_K.ITEMS_DIFFER, _PAYMENT, "{account} stands on the wrong side")
    """A payment with less than nothing in suspense, advance or receivable."""
    SHARE_SIDE = (_K.ITEMS_DIFFER, _PART, "more than its share was taken from {account}")
    """A party that holds, or is due, less than nothing of a component."""

    LIVE_ORDERS = (_K.DOUBLE_DEBIT, _ITEM, "{orders} orders have no final outcome")
    """An installment with more than one order that has no final outcome."""
    EARLY_INTENT = (
        *(_K.DOUBLE_DEBIT, "{loan}/{number} {order_no}"),
        "intended while {earlier} lacked a final outcome",
    )
    """An order that was intended while an earlier one of its installment had no final outcome."""
    MANDATE_ENDED = (
        *(_K.ATTEMPTS, "{loan}/{number} {order_no}"),
        "intended for {value_on} while mandate {mandate} was known to have ended",
    )
    """An order that was intended for a day on which its mandate was known to have ended."""
    HARD_REFUSED = (
        *(_K.ATTEMPTS, "{loan}/{number} {order_no}"),
        "intended under mandate {mandate} after {refused} was refused for good",
    )
    """An order under a mandate of which an earlier order had met a hard refusal, not cleared."""
    BARRED = (
        *(_K.ATTEMPTS, "{loan}/{number} {order_no}"),
        "intended while mandate {mandate} was barred",
    )
    """An order that was intended while its mandate was barred."""
    OVER_ALLOCATED = (_K.DOUBLE_DEBIT, _PART, "more was allocated than was charged")
    """A component that owes less than nothing."""
    NO_INTENT = (
        *(_K.NO_INTENT, "{loan}/{number} {order_no}"),
        "the journal has no intent of this order",
    )
    """An order without the move by which it was intended."""

    GATE_OWED = (_K.GATE, _ITEM, "{gate} while {component} was not paid")
    """A gate that was passed while something was owed, written off or subrogated."""
    GATE_UNPROVEN = (_K.GATE, _ITEM, "{gate} while payment {payment} was not proven")
    """A gate that was passed while a payment that it stands on was not proven at the bank."""
    GATE_SHARE = (_K.GATE, _ITEM, "{gate} while {component} had not left {account}")
    """An installment that was closed while a party was still due a share."""
    GATE_ORDER = (_K.GATE, _ITEM, "{gate} while order {order_no} had no final outcome")
    """A gate that was passed while an order was live."""
    GATE_CASE = (_K.GATE, _ITEM, "{gate} while case {case} was open")
    """A gate that was passed while a case was open that keeps it shut."""

    CLOSED_OWED = (_K.CLOSED_NOT_PAID, _ITEM, "{state} and still owed")
    """A released or closed installment that owes something, or owes less than nothing."""
    CLOSED_UNPROVEN = (
        *(_K.CLOSED_NOT_PAID, _ITEM),
        "payment {payment} is not proven at the bank",
    )
    """A released or closed installment with a payment that is not proven."""
    CLOSED_SHARE = (_K.CLOSED_NOT_PAID, _ITEM, "{component} has not left {account}")
    """A closed installment of which a party is still due a share."""
    ELSEWHERE = (_K.CLOSED_NOT_PAID, _ITEM, "payment {payment} lies on {account}")
    """A closed installment whose money lies on an account that its product does not name."""
    CLOSURE = (
        *(_K.CLOSED_NOT_PAID, "{loan}/{number}"),
        "{state} while the closure of its loan is {closure}",
    )
    """An installment that is not what the closure of its loan, begun or ended, says of it."""
    STUCK = (_K.STUCK, _ITEM, "{state} and nothing is owed")
    """An installment that was charged, owes nothing, and stands as if it did."""

    LINE_WAITS = (
        *(_K.UNEXPLAINED, "{line}"),
        "a line waits in suspense and no case says so",
    )
    """A bank line that is not explained, and about which no case is open."""
    UNREGISTERED = (
        *(_K.UNEXPLAINED, "{account}"),
        "lines are booked on an account that is not registered, and no case says so",
    )
    """A bank account with booked lines that is not registered, and about which there is no case."""
    LATE_NOTICE = (_K.CONTACT, "{message}", "queued after the payment was known")
    """A message about an installment that had been charged and owed nothing any more."""
    BROKEN_MOVE = (
        *(_K.MOVE, "{subject} {order_no}"),
        "item {seq} moves it from {source}, where it did not stand",
    )
    """A move that does not begin where the move before it ended."""

    @property
    def kind(self) -> FindingKind:
        """What kind of finding a breach is."""
        kind: FindingKind = self.value[0]
        return kind

    def finding(self, row: Mapping[str, object]) -> Finding:
        """The finding for one row of the answer; figures are whole numbers."""
        _, subject, text = self.value
        said = {name: "" if value is None else value for name, value in row.items()}
        minor, currency = said.get("minor", 0), str(said.get("currency", ""))
        return Finding(
            self.kind,
            subject.format(**said).strip(),
            text.format(**said),
            minor if isinstance(minor, int) else 0,
            currency,
        )
