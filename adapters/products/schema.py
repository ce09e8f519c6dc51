"""Shape of a product file. Strict: nothing is converted silently and nothing unknown is taken.

One class for each table of the file; docs/products.md says what every field means.
"""

from fractions import Fraction
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.products import fields as f
from domain.loan.product import Routing
from domain.loanclosure.rules import LegKind
from domain.pricing.daycount import DayCount
from domain.pricing.schedule_terms import Method
from ports.notices import Channel, Language, Template


class _Table(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True
    )


class ScheduleTable(_Table):
    """How a schedule is computed when a tape gives terms."""

    method: f.MethodName
    day_count: Annotated[DayCount, Field(strict=False)]
    every: f.Every
    rounding: f.RoundingName
    round_installment_to_minor: f.Minor = 0

    @model_validator(mode="after")
    def _rounds_what_is_equal(self) -> Self:
        if self.round_installment_to_minor and self.method in {Method.INTEREST_ONLY, Method.BULLET}:
            raise ValueError(f"round_installment_to_minor must be 0 for method {self.method}")
        return self


class WaterfallTable(_Table):
    """Order in which free money pays what is owed."""

    order: list[f.ComponentName] = Field(min_length=1)
    direction: f.DirectionName
    future: f.FutureName
    principal_first_from_dpd: Annotated[int, Field(ge=1)] | None = None
    due_with_past_due: bool = False


class ShareTable(_Table):
    """What one party gets of one component."""

    party: f.Name
    component: f.ComponentName
    fraction: f.Share
    cap_minor: f.Minor | None = None
    fixed_minor: f.Minor = 0


class SharesTable(_Table):
    """All shares; the remainder party takes the rounding and what no rule gives away."""

    remainder_party: f.Name
    rules: list[ShareTable] = []


class PayeeTable(_Table):
    """How one party gets its money: on its own account, or sent on from the collection account."""

    party: f.Name
    routing: f.RoutingName
    account: f.AccountName | None = None

    @model_validator(mode="after")
    def _account_by_routing(self) -> Self:
        if (self.routing is Routing.DIRECT) != (self.account is not None):
            raise ValueError("direct names the party's own account, pooled names none")
        return self


class HoursTable(_Table):
    """Hours of a day, in the product's time zone unless another is named."""

    opens: f.Clock
    closes: f.Clock
    timezone: f.Timezone | None = None

    @model_validator(mode="after")
    def _opens_first(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("opens must be before closes")
        return self


class ReminderTable(_Table):
    """One reminder and the channels that are tried in order."""

    days_before: Annotated[int, Field(ge=0, le=60)]
    at: f.Clock
    channels: list[Channel] = Field(min_length=1)
    template: Template = "reminder"


class RemindersTable(_Table):
    """Reminders of an installment and the hours in which the borrower may be contacted."""

    allowed: HoursTable
    delivery_report_within_hours: Annotated[int, Field(ge=1, le=240)] = 20
    require_delivered: bool = False
    rules: list[ReminderTable] = []

    @model_validator(mode="after")
    def _within_hours(self) -> Self:
        for rule in self.rules:
            if not self.allowed.opens <= rule.at < self.allowed.closes:
                raise ValueError(f"a reminder at {rule.at:%H:%M} lies outside the allowed hours")
        return self


class RetryTable(_Table):
    """How a debit is tried again; rail, mandate and law may be stricter."""

    attempts_max: Annotated[int, Field(ge=1, le=20)]
    wait_banking_days: list[f.Days] = Field(min_length=1)
    at: f.Clock
    stop_after_days: f.Days
    paydays: list[Annotated[int, Field(ge=1, le=31)]] = []
    payday_reach_days: f.Days = 0
    declined_retries: Annotated[int, Field(ge=0, le=1)] = 1


class ClosureTable(_Table):
    """When an installment may be released."""

    return_window_banking_days: f.Days
    settlement_banking_days: Annotated[int, Field(ge=1, le=60)]


class StepTable(_Table):
    """Another penalty rate from a number of days past due on."""

    from_dpd: Annotated[int, Field(ge=1)]
    annual_rate_percent: f.Exact


class PenaltyTable(_Table):
    """Penalty interest by the day. Grace is the product's `grace_days`."""

    annual_rate_percent: f.Exact
    day_basis: Annotated[int, Field(ge=360, le=365)]
    on_interest: bool
    steps: list[StepTable] = []
    compounding: bool = False
    cap_minor: f.Minor | None = None
    cap_fraction: f.Share | None = None


class CeilingTable(_Table):
    """A ceiling of the lender's own, in percent of what `measure` counts."""

    rule: Annotated[str, Field(min_length=1, max_length=80)]
    percent: f.Exact
    measure: f.MeasureName


class CapsTable(_Table):
    """Ceilings of cost, and what is paid besides the installments; see domain/pricing/caps.py."""

    legal: list[str] = []
    one_year_lpr_percent: f.Exact | None = None
    own: list[CeilingTable] = []
    upfront_fraction: f.Share = Fraction(0)
    upfront_minor: f.Minor = 0
    each_fraction: f.Share = Fraction(0)
    each_minor: f.Minor = 0


class MatchingTable(_Table):
    """What bank lines may differ by from what they show; see domain/matching/model.py."""

    fee_most_minor: f.Minor = 0
    days: Annotated[int, Field(ge=0, le=30)] = 0
    similarity: Annotated[int, Field(ge=0, le=100)] = 0
    posts: Annotated[bool, Field(strict=True)] = False


class LegTable(_Table):
    """One leg of the closure of a loan; see domain/loanclosure/rules.py."""

    leg: Annotated[LegKind, Field(strict=False)]
    within_hours: Annotated[int, Field(ge=1, le=24 * 90)]
    channel: f.Name | None = None
    tries: Annotated[int, Field(ge=1, le=20)] = 3
    channels: Annotated[list[f.Name], Field(max_length=5)] = []


class ClosingTable(_Table):
    """What the closure of a whole loan needs."""

    seals: bool = False
    legs: Annotated[list[LegTable], Field(max_length=20)] = []


class ProductTable(_Table):
    """A whole product file."""

    id: f.Name
    version: Annotated[int, Field(ge=1, le=100_000)]
    currency: f.Currency
    timezone: f.Timezone
    calendar: f.Name
    adjust: f.AdjustName
    rail: f.Name
    funder: f.Name
    account: f.AccountName
    language: Language
    present_at: f.Clock
    grace_days: Annotated[int, Field(ge=0, le=90)]
    schedule: ScheduleTable
    waterfall: WaterfallTable
    shares: SharesTable
    payees: list[PayeeTable] = Field(min_length=1)
    reminders: RemindersTable
    retry: RetryTable
    closure: ClosureTable
    penalty: PenaltyTable | None = None
    caps: CapsTable | None = None
    matching: MatchingTable = MatchingTable()
    closing: ClosingTable | None = None
