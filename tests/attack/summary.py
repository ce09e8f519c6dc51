"""What books have come to, without ids: two orders of one set of news must give the same."""

from collections import defaultdict
from collections.abc import Collection

from domain.ledger.entry import Posting
from tests.support.memory import MemoryBooks

OF_THE_CLOCK = frozenset({"unsettled", "needs_operator", "no_reminder_delivered"})
"""Cases that a deadline opened; they end with the last line, and `ending` looks for stale ones."""
REOPENED = "returned_after_closing"
OF_MONEY = frozenset({"suspense", "advance", "payable", "held_by"})
OF_DEBT = frozenset({"owed", "claim", "forgiven", "written_off"})
OF_A_LOAN = frozenset({"claim", "payable", "forgiven", "held_by"})


def summary(
    books: MemoryBooks,
    *,
    with_cases: bool,
    by_loan: Collection[str] = (),
    either: Collection[tuple[str, int]] = (),
) -> tuple[str, ...]:
    """Balances, states, and (where news agrees with itself) the kinds of open cases.

    What each party gets may differ by a unit, so parties are summed up, and with several parties
    what is held and what is payable. Of a loan in `by_loan` only its money is summed up: one of its
    installments was released or closed before the last news was known. What paid it stays there, so
    that money known later pays something else, or nothing. The states of installments in `either`
    are left out.
    """
    sole = all(len(loan.product.shares.parties) == 1 for loan in books.loans.values())
    sums: defaultdict[str, int] = defaultdict(int)
    for entry in books.entries:
        for posting in entry.postings:
            whole = posting.loan in by_loan
            name = _name(posting, whole=whole, exact=sole)
            sums[_alike(books, name)] += posting.minor
    found = [f"{name} {minor}" for name, minor in sums.items() if minor]
    for loan in books.loans.values():
        if loan.id not in by_loan:
            found += [
                f"{loan.id}/{item.number} {item.state.value}"
                for item in loan.installments
                if (loan.id, item.number) not in either
            ]
    for case in books.cases.values() if with_cases else ():
        is_reopened = case.kind == REOPENED and (case.loan_id, case.number) in either
        if case.kind not in OF_THE_CLOCK and case.loan_id not in by_loan and not is_reopened:
            found.append(f"case {case.kind} {case.loan_id}/{case.number} {case.amount_minor}")
    return tuple(sorted(found))


def _alike(books: MemoryBooks, account: str) -> str:
    """The account of a line that waits whole under a reference: lines of one reference are alike.

    Of two of the same amount, either may prove a payment of that reference; the other one waits.
    """
    line = books.lines.get(account.removeprefix("suspense/line/"))
    if line is None or line.matches or not line.waiting or not all(i.ref for i in line.waiting):
        return account
    return f"suspense/line/{line.account}/{'+'.join(item.ref for item in line.waiting)}"


def _name(posting: Posting, *, whole: bool, exact: bool) -> str:
    family, _, rest = posting.account.partition("/")
    if whole and family in OF_MONEY | OF_DEBT and not rest.startswith("line/"):
        return f"money/{posting.loan}" if family in OF_MONEY else f"debt/{posting.loan}"
    if family == "suspense" and not rest.startswith("line/"):
        return f"suspense/{posting.loan}"
    if family in {"payable", "held_by"} and not exact:
        return f"collected/{posting.loan}"
    if family in OF_A_LOAN:
        return f"{family}/{posting.loan}"
    if family == "written_off":
        return f"written_off/{posting.loan}/{posting.number}/{posting.component}"
    return posting.account
