"""What a rail can do and when: capabilities as data, so that rules read them and code does not."""

from dataclasses import dataclass
from datetime import time, timedelta

from domain.errors import InvalidInput

ORDER_NO_LEAST = 12
"""Letters and digits of an order number below which two orders could come to share one."""


@dataclass(frozen=True, slots=True)
class RailProfile:
    """Capabilities and limits of one rail product.

    Times are local to `timezone`. `lead_banking_days`: the order must be with the rail so many
    banking days before the value date. `query_window`: from the end of a sender's lease, after
    which *not found* is evidence. `expected_by`: how long an accepted order may stay without a
    final outcome before it is in doubt. `inquiry`: waits before the 1st, 2nd ... inquiry; the last
    one repeats. `idempotent`: the rail is proven to execute one order number at most once.
    `order_no_most`: letters and digits that the rail keeps of an order number: ISO 20022 35, WeChat
    and UnionPay at most 32 and 40, Bacs 18, Nacha 15.
    `cuts`: where the rail takes orders in files, the times of a day at which a file is closed and
    leaves, in order; orders wait in it until then. Empty: each order is sent by itself.
    """

    name: str
    timezone: str
    calendar: str
    opens: time
    closes: time
    cut_off: time
    lead_banking_days: int = 0
    every_day: bool = False
    idempotent: bool = False
    lease: timedelta = timedelta(seconds=60)
    query_window: timedelta = timedelta(minutes=30)
    expected_by: timedelta = timedelta(hours=4)
    inquiry: tuple[timedelta, ...] = (
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(minutes=40),
        timedelta(hours=2),
        timedelta(hours=6),
        timedelta(hours=24),
    )
    inquiries_before_operator: int = 6
    attempts_max: int = 6
    attempts_per_day: int = 2
    retry_within_days: int = 60
    same_amount_on_retry: bool = False
    amount_max_minor: int | None = None
    order_no_most: int = 35
    cuts: tuple[time, ...] = ()

    def __post_init__(self) -> None:
        if self.order_no_most < ORDER_NO_LEAST:
            rule = f"at least {ORDER_NO_LEAST}, or order numbers are not unique"
            raise InvalidInput("order_no_most", self.order_no_most, rule)
        if list(self.cuts) != sorted(set(self.cuts)) or any(
            not self.opens < cut <= min(self.closes, self.cut_off) for cut in self.cuts
        ):
            said = ", ".join(f"{cut:%H:%M}" for cut in self.cuts)
            rule = "in order, each once, after opening and not after closing or cut-off"
            raise InvalidInput("cuts", said, rule)
