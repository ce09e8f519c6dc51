"""What an entry does to the amounts that an installment carries."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from domain.ledger.entry import Posting
from domain.loan.aggregate import Installment
from domain.loan.amounts import Amounts, Component

FOLDED: Mapping[str, Callable[[Installment, Amounts], Installment]] = MappingProxyType(
    {
        "owed": lambda item, part: replace(item, owed=item.owed + part),
        "written_off": lambda item, part: replace(item, given_up=item.given_up + part),
        "forgiven": lambda item, part: replace(item, forgiven=item.forgiven + part),
    }
)
"""Families of accounts that an installment carries as amounts of its own."""


def folded(item: Installment, posting: Posting) -> Installment:
    """The installment after a posting; itself when the posting is about another account."""
    family = posting.account.partition("/")[0]
    if posting.component is None or family not in FOLDED:
        return item
    return FOLDED[family](item, Amounts().plus(Component(posting.component), posting.minor))
