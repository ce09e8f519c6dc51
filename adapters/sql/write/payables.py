"""What parties are due of payments, item by item: a projection of where a portion's money lies."""

from adapters.sql.rows import Row
from domain.loan.aggregate import Loan
from domain.loan.placing import lying
from domain.payment.portion import Portion

COLUMNS = ("loan_id", "payment", "number", "component", "party", "place")
"""The key of an item, as columns of its table."""
Key = tuple[str, str, int, str, str, str]
"""The values of `COLUMNS`."""


def payable_items(loan: Loan, portion: Portion) -> dict[Key, int]:
    """Minor units that each party is due of a portion and does not hold, by item and place."""
    return {
        (loan.id, portion.id, item.number, item.component.value, item.party, place): -minor
        for (item, place), minor in lying(loan, portion).items()
        if item.family == "payable"
        and item.number is not None
        and item.component is not None
        and item.party is not None
    }


def named(key: Key) -> Row:
    """A key by the names of its columns."""
    return dict(zip(COLUMNS, key, strict=True))


def keyed(key: Key) -> Row:
    """A key by the names of the parameters that a statement looks it up with."""
    return {f"key_{name}": value for name, value in named(key).items()}
