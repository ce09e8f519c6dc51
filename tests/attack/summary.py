"""What books have come to, without ids: two orders of one set of news must give the same."""

from collections import defaultdict

from tests.support.memory import MemoryBooks

NAMED = frozenset({"suspense", "advance"})


def summary(books: MemoryBooks, *, with_cases: bool) -> tuple[str, ...]:
    """Balances by account and loan, states, and (where news agrees) the kinds of open cases.

    What each party gets may differ by a unit, so parties are summed up.
    """
    sums: defaultdict[str, int] = defaultdict(int)
    for entry in books.entries:
        for posting in entry.postings:
            family, _, rest = posting.account.partition("/")
            if family == "suspense" and not rest.startswith("line/"):
                name = f"suspense/{posting.loan}"
            elif family in {"claim", "payable", "forgiven", "held_by"}:
                name = f"{family}/{posting.loan}"
            elif family == "written_off":
                name = f"written_off/{posting.loan}/{posting.number}/{posting.component}"
            else:
                name = posting.account
            sums[name] += posting.minor
    found = [f"{name} {minor}" for name, minor in sums.items() if minor]
    for loan in books.loans.values():
        found += [f"{loan.id}/{item.number} {item.state.value}" for item in loan.installments]
    if with_cases:
        for case in books.cases.values():
            found.append(f"case {case.kind} {case.loan_id}/{case.number} {case.amount_minor}")
    return tuple(sorted(found))
