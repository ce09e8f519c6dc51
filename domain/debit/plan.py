"""A product's plan for retries, and the two answers of the retry policy."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

from domain.errors import InvalidInput

LAST_DAY_OF_MONTH = 31


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """How a product tries again; the rail, the mandate and the law may be stricter.

    Attributes:
        attempts_max: presentments of one installment in all, the first included.
        wait_banking_days: wait after the 1st, 2nd ... failure; the last one repeats.
        paydays: days of the month on which the payer is paid; one that a month lacks is its last
            day, so 31 always means the last day.
        payday_reach_days: the wait is stretched to a payday that lies so many days away or less.
        at: time of day of a retry, in the time zone of the product.
        stop_after_days: calendar days from the due date after which no retry is value-dated.
        declined_retries: retries after a refusal without a reason; never more than one counts.
    """

    attempts_max: int
    wait_banking_days: tuple[int, ...]
    paydays: tuple[int, ...]
    payday_reach_days: int
    at: time
    stop_after_days: int
    declined_retries: int = 1

    def __post_init__(self) -> None:
        if self.attempts_max < 1:
            raise InvalidInput("retry.attempts_max", self.attempts_max, "at least 1")
        if not self.wait_banking_days or min(self.wait_banking_days) < 0:
            raise InvalidInput(
                "retry.wait_banking_days", self.wait_banking_days, "one wait or more, none below 0"
            )
        if any(not 1 <= day <= LAST_DAY_OF_MONTH for day in self.paydays):
            raise InvalidInput("retry.paydays", self.paydays, "days of a month, 1 to 31")
        for name in ("payday_reach_days", "stop_after_days", "declined_retries"):
            if getattr(self, name) < 0:
                raise InvalidInput(f"retry.{name}", getattr(self, name), "0 or more")


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Present again, not before this UTC instant, for the day `value_on`."""

    not_before: datetime
    reason: str
    value_on: date
    kind: Literal["retry_at"] = "retry_at"


@dataclass(frozen=True, slots=True)
class NoRetry:
    """No automatic presentment any more. `rule` is a stable id, `reason` says it in words."""

    rule: str
    reason: str
    kind: Literal["no_retry"] = "no_retry"
