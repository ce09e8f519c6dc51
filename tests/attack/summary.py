"""What books have come to, without ids: two orders of one set of news must give the same."""

from collections import defaultdict

from domain.ledger.entry import Posting
from tests.attack.rest import PAID
from tests.support.memory import MemoryBooks

OF_THE_CLOCK = frozenset({"unsettled", "needs_operator", "no_reminder_delivered"})
"""Cases that a deadline opened; they end with the last line, and `ending` looks for stale ones."""
OF_A_LOAN = frozenset({"claim", "payable", "forgiven", "held_by"})


def summary(
    books: MemoryBooks, *, with_cases: bool, by_item: bool, by_component: bool
) -> tuple[str, ...]:
    """Balances, states, and (where news agrees with itself) the kinds of open cases.

    What each party gets may differ by a unit, so parties are summed up, and with several parties
    what is held and what is payable. Without `by_item`
    everything is summed up by loan: free money pays what is owed when it becomes known, so a
    transfer that comes before a return may stand on another installment than one that comes after.
    Without `by_component` what is owed is summed up by installment: a return reopens the components
    that its own payment had paid, and of two payments the one that is known first pays the first;
    and what was closed before a return of other money was known stays closed.
    """
    sole = all(len(loan.product.shares.parties) == 1 for loan in books.loans.values())
    exact = by_item and sole
    sums: defaultdict[str, int] = defaultdict(int)
    for entry in books.entries:
        for posting in entry.postings:
            sums[_name(posting, by_item, by_component, exact)] += posting.minor
    found = [f"{name} {minor}" for name, minor in sums.items() if minor]
    if by_item:
        for loan in books.loans.values():
            for item in loan.installments:
                paid = not by_component and item.state in PAID
                found.append(f"{loan.id}/{item.number} {'paid' if paid else item.state.value}")
    if with_cases and by_item:
        for case in books.cases.values():
            if case.kind in OF_THE_CLOCK:
                continue
            found.append(f"case {case.kind} {case.loan_id}/{case.number} {case.amount_minor}")
    return tuple(sorted(found))


def _name(posting: Posting, by_item: bool, by_component: bool, exact: bool) -> str:
    family, _, rest = posting.account.partition("/")
    if family == "suspense" and not rest.startswith("line/"):
        return f"suspense/{posting.loan}" if by_item else f"free/{posting.loan}"
    if family == "advance" and not by_item:
        return f"free/{posting.loan}"
    if family in {"payable", "held_by"} and not exact:
        return f"collected/{posting.loan}"
    if family in OF_A_LOAN or (family == "owed" and not by_item):
        return f"{family}/{posting.loan}"
    if family == "owed" and not by_component:
        return f"owed/{posting.loan}/{posting.number}"
    if family == "written_off":
        item = f"{posting.number}/{posting.component}" if by_item else ""
        return f"written_off/{posting.loan}/{item}"
    return posting.account
