"""Balances by item from postings alone: everything that the oracle knows of money."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.ledger.entry import Entry, Posting
from tests.attack.findings import Finding

Key = tuple[object, ...]
PARTY_FAMILIES = frozenset({"claim", "payable", "forgiven", "written_off", "held_by"})


def _zeros() -> defaultdict[Key, int]:
    return defaultdict(int)


@dataclass(slots=True)
class Tally:
    """Sums, debit positive, of all entries so far.

    `items`: (family, loan, number, component) · `parties`: (family, party, loan, number, component)
    · `payments`: (family, loan, payment) · `applied`: (loan, payment, number) money that stands on
    an installment · `proven`: (loan, payment, line, whether it came back) what a line proves
    · `came`, `back`: clearing without a line, by (loan, payment) and by order number · `charged`:
    (loan, number, component).
    """

    accounts: defaultdict[Key, int] = field(default_factory=_zeros)
    items: defaultdict[Key, int] = field(default_factory=_zeros)
    parties: defaultdict[Key, int] = field(default_factory=_zeros)
    portions: defaultdict[Key, int] = field(default_factory=_zeros)
    applied: defaultdict[Key, int] = field(default_factory=_zeros)
    proven: defaultdict[Key, int] = field(default_factory=_zeros)
    came: defaultdict[Key, int] = field(default_factory=_zeros)
    back: defaultdict[Key, int] = field(default_factory=_zeros)
    charged: defaultdict[Key, int] = field(default_factory=_zeros)
    of_loan: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    """Payments of each loan, as they came."""
    touched: set[Key] = field(default_factory=set)
    """Installments with entries that nobody has looked at yet."""
    lying: defaultdict[Key, defaultdict[Key, int]] = field(
        default_factory=lambda: defaultdict(_zeros)
    )
    """By (loan, payment): its items, each (account, number, component, place)."""
    order_of: dict[tuple[str, str], str] = field(default_factory=dict)
    """The order number of a payment that has one."""

    def fold(self, entries: Iterable[Entry]) -> None:
        """Add entries; each balances by currency and place and has two postings or more."""
        for entry in entries:
            sums: defaultdict[Key, int] = defaultdict(int)
            for posting in entry.postings:
                sums[(posting.currency, posting.place)] += posting.minor
            if any(sums.values()) or len(entry.postings) < 2:
                raise Finding("entry.unbalanced", f"{entry}")
            families = {posting.account.partition("/")[0] for posting in entry.postings}
            for posting in entry.postings:
                self._add(posting, entry.event, is_charge=families <= {"owed", "claim"})

    def _add(self, posting: Posting, event: str, *, is_charge: bool) -> None:
        family, _, rest = posting.account.partition("/")
        minor = posting.minor
        self.accounts[(posting.account,)] += minor
        if posting.component is not None:
            item = (posting.loan, posting.number, posting.component)
            self.items[(family, *item)] += minor
            self.touched.add(item[:2])
            if is_charge and family == "owed":
                self.charged[item] += minor
        if family in PARTY_FAMILIES:
            party = rest.partition("/")[0]
            key = (family, party, posting.loan, posting.number, posting.component)
            self.parties[key] += minor
        if posting.loan is not None and posting.payment is not None:
            self._add_money(posting, family, event)

    def _add_money(self, posting: Posting, family: str, event: str) -> None:
        loan, portion, minor = str(posting.loan), str(posting.payment), posting.minor
        self.of_loan[loan][portion] = None
        if posting.order_no is not None:
            self.order_of[(loan, portion)] = posting.order_no
        self.portions[(family, loan, portion)] += minor
        if family in {"suspense", "advance", "payable", "held_by"}:
            number = posting.number if posting.component is not None else None
            item = (posting.account, number, posting.component, posting.place)
            self.lying[(loan, portion)][item] += minor
        if family in {"owed", "written_off"}:
            self.applied[(loan, portion, posting.number)] -= minor
        if family == "clearing":
            if posting.line is not None:
                is_back = event.startswith("return_") or (event == "match_undone" and minor < 0)
                self.proven[(loan, portion, posting.line, is_back)] -= minor
            else:
                side, came = (self.came, minor) if minor > 0 else (self.back, -minor)
                if event == "return_undone":  # money that did not go back after all
                    side, came = self.back, -minor
                side[(loan, portion)] += came
                if posting.order_no is not None:
                    side[(posting.order_no,)] += came

    def item(self, family: str, loan: str, number: int, component: str) -> int:
        """Balance of one component of an installment."""
        return self.items[(family, loan, number, component)]

    def total(self, family: str, loan: str, number: int) -> int:
        """Balance of an installment over its components."""
        found = (v for k, v in self.items.items() if k[:3] == (family, loan, number))
        return sum(found)

    def owed_of_loan(self, loan: str) -> int:
        """What is owed on a loan."""
        return sum(v for k, v in self.items.items() if k[:2] == ("owed", loan))

    def free(self, loan: str, portion: str) -> int:
        """Money of a payment that is on nothing: in suspense or paid ahead."""
        waits = self.portions[("suspense", loan, portion)]
        return -waits - self.portions[("advance", loan, portion)]

    def legs(self, loan: str, portion: str) -> tuple[int, int]:
        """What lines prove of a payment, and of what went back of it."""
        lines = [(k[3], v) for k, v in self.proven.items() if k[:2] == (loan, portion)]
        came = sum(minor for is_back, minor in lines if not is_back)
        return came, -sum(minor for is_back, minor in lines if is_back)

    def paying(self, loan: str, number: int) -> list[str]:
        """Payments whose money stands on an installment."""
        return [r for r in self.of_loan[loan] if self.applied[(loan, r, number)]]

    def unproven(self, loan: str, portion: str, *, is_return: bool) -> int:
        """What is booked of a payment, or of its return, and no line proves."""
        proven, returned = self.legs(loan, portion)
        key = (loan, portion)
        return self.back[key] - returned if is_return else self.came[key] - proven
