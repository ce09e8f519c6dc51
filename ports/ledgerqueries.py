"""What accountants and audits ask of the books: balances, items, postings, and their proof."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.case.case import Case
from domain.ledger.chain import KnownHead
from domain.ledger.entry import JournalPosting
from domain.loan.aggregate import Loan
from domain.loan.handover import PaymentNames
from ports.paging import LIMIT_MOST, Page


@dataclass(frozen=True, slots=True)
class Balance:
    """Balance of one account in one currency: debit positive, minor units."""

    account: str
    currency: str
    minor: int


@dataclass(frozen=True, slots=True)
class AccountItem:
    """What of an account's balance is for one thing: debit positive, minor units.

    `place` names where the money lies, on accounts that hold money.
    """

    account: str
    currency: str
    loan: str | None
    number: int | None
    component: str | None
    party: str | None
    payment: str | None
    place: str | None
    minor: int
    payout: str | None = None


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What verifying the journal found. `faults` is empty when the chain is intact.

    `items` are `commands`, `entries` and `transitions` together. `kept` counts the rows beside the
    journal that were compared with it: balances, installments, attempts, payments, bank lines,
    cases; and kept files, whose content was compared with the hash that names them. `root` is the
    Merkle root over all items. `checkpoints` counts those that were compared, kept ones and those
    from outside, and `disagreed` names those that the journal does not agree with.
    """

    items: int
    entries: int
    postings: int
    transitions: int
    head: str
    faults: tuple[str, ...]
    commands: int = 0
    kept: int = 0
    root: str = ""
    checkpoints: int = 0
    disagreed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoanAndNames:
    """A loan as it stands, and what payers and rails call its payments, by the payments' ids."""

    loan: Loan
    names: Mapping[str, PaymentNames]


class LedgerQueries(Protocol):
    """Questions about money, and about whether the books are whole."""

    async def loans(self, after: str, limit: int) -> tuple[str, ...]:
        """Ids of the loans on the books in order, after the id `after`."""
        ...

    async def cases(
        self, after: str = "", limit: int = LIMIT_MOST, *, open_only: bool = True
    ) -> Page[Case]:
        """Cases, oldest first."""
        ...

    async def trail(
        self, key: str, after: str = "", limit: int = LIMIT_MOST
    ) -> Page[JournalPosting]:
        """Every posting about one payment, debit order or bank line, in order of the journal."""
        ...

    async def balances(
        self, prefix: str = "", after: str = "", limit: int = LIMIT_MOST
    ) -> Page[Balance]:
        """Balances of all accounts whose name starts with `prefix`, zero ones included."""
        ...

    async def items(
        self, account: str, after: str = "", limit: int = LIMIT_MOST
    ) -> Page[AccountItem]:
        """What the balance of one account is for, item by item and place by place; none is zero."""
        ...

    def journal(self) -> AsyncGenerator[JournalPosting]:
        """All postings in the order of the chain, streamed; closed by who does not read on."""
        ...

    def all_loans(self) -> AsyncGenerator[LoanAndNames]:
        """All loans in order of their ids, streamed; closed by who does not read on."""
        ...

    async def head(self) -> str:
        """The hash that the chain ends with, as it is kept: equal heads are equal books."""
        ...

    async def verify(self, against: Sequence[KnownHead] = ()) -> ChainReport:
        """Recompute the journal, and compare what is kept beside it; see `ChainReport`.

        Args:
            against: checkpoints from outside; those in the books are compared anyway.
        """
        ...
