"""What an entry does to the amounts that an installment carries."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from domain.ledger.entry import Posting
from domain.loan.aggregate import Installment
from domain.pricing.amounts import Amounts, Component

FOLDED: Mapping[str, Callable[[Installment, str, Amounts], Installment]] = MappingProxyType(
    {
        "owed": lambda item, _, part: replace(item, owed=item.owed + part),
        "claim": lambda item, party, part: replace(item, claims=_less(item.claims, party, part)),
        "written_off": lambda item, party, part: replace(
            item,
            written_off=item.written_off + part,
            written_off_claims=_less(item.written_off_claims, party, -part),
            claims=_less(item.claims, party, part),
        ),
        "forgiven": lambda item, party, part: replace(
            item, forgiven=item.forgiven + part, claims=_less(item.claims, party, part)
        ),
    }
)
"""Families of accounts that an installment carries as amounts of its own.

The second part of an account's name is the party, except under `owed`. A claim that is forgiven or
written off stays on the claim account; it is no longer open, so it leaves `claims`.
"""


def folded(item: Installment, posting: Posting) -> Installment:
    """The installment after a posting; itself when the posting is about another account."""
    family, _, rest = posting.account.partition("/")
    if posting.component is None or family not in FOLDED:
        return item
    part = Amounts().plus(Component(posting.component), posting.minor)
    return FOLDED[family](item, rest.partition("/")[0], part)


def _less(claims: Mapping[str, Amounts], party: str, part: Amounts) -> Mapping[str, Amounts]:
    """Open claims less what a party has got; a party that is due nothing is left out."""
    left = claims.get(party, Amounts()) - part
    others = {name: amounts for name, amounts in claims.items() if name != party}
    return others | {party: left} if any(left.values()) else others
