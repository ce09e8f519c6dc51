"""Product files as the domain sees them: a pinned product, and how its schedules are computed."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from adapters.products.schema import (
    CapsTable,
    ClosingTable,
    PenaltyTable,
    ProductTable,
    RemindersTable,
    RetryTable,
    SharesTable,
    WaterfallTable,
)
from domain.calendar import DayWindow
from domain.debit.retry import RetryPlan
from domain.errors import InvalidInput
from domain.loan.product import ClosureRules, Payee, Product, ReminderPlan, ReminderRule
from domain.loan.split import ShareRule, SplitRules
from domain.loan.waterfall import Waterfall
from domain.loanclosure.rules import ClosingRules, LegRule
from domain.matching.model import Tolerance
from domain.money import Rounding
from domain.pricing.caps import Cap, CapRules, legal_caps
from domain.pricing.daycount import DayCount
from domain.pricing.frequency import Frequency
from domain.pricing.penalty import PenaltyRule
from domain.pricing.schedule_terms import Method


@dataclass(frozen=True, slots=True)
class ScheduleRules:
    """How schedules of a product are computed from terms."""

    method: Method
    day_count: DayCount
    every: Frequency
    rounding: Rounding
    round_installment_to_minor: int = 0


@dataclass(frozen=True, slots=True)
class ProductFile:
    """One product version with its schedule rules."""

    product: Product
    schedule: ScheduleRules


def product_of(table: ProductTable) -> ProductFile:
    """The domain's product; raises InvalidInput where a rule of the domain is broken."""
    schedule = table.schedule
    product = Product(
        id=table.id,
        version=table.version,
        currency=table.currency,
        timezone=table.timezone,
        calendar=table.calendar,
        adjust=table.adjust,
        rail=table.rail,
        funder=table.funder,
        account=table.account,
        language=table.language,
        present_at=table.present_at,
        waterfall=_waterfall(table.waterfall),
        shares=_shares(table.shares),
        reminders=_reminders(table.reminders, table.timezone),
        retry=_retry(table.retry),
        grace_days=table.grace_days,
        closure=ClosureRules(
            table.closure.return_window_banking_days, table.closure.settlement_banking_days
        ),
        payees=tuple(Payee(p.party, p.routing, p.account or "") for p in table.payees),
        penalty=None if table.penalty is None else _penalty(table.penalty, table.grace_days),
        caps=None if table.caps is None else _caps(table.caps, schedule.every),
        matching=Tolerance(
            table.matching.fee_most_minor,
            table.matching.days,
            table.matching.similarity,
            table.matching.posts,
        ),
        closing=None if table.closing is None else _closing(table.closing),
    )
    rules = ScheduleRules(
        schedule.method,
        schedule.day_count,
        schedule.every,
        schedule.rounding,
        schedule.round_installment_to_minor,
    )
    return ProductFile(product, rules)


def _closing(table: ClosingTable) -> ClosingRules:
    named = [one.leg for one in table.legs]
    if len(set(named)) != len(named):
        raise InvalidInput("closing.legs", ", ".join(named), "each leg once")
    legs = {
        one.leg: LegRule(
            timedelta(hours=one.within_hours), one.channel or "", one.tries, tuple(one.channels)
        )
        for one in table.legs
    }
    return ClosingRules(legs, table.seals)


def _waterfall(table: WaterfallTable) -> Waterfall:
    return Waterfall(
        tuple(table.order),
        table.direction,
        table.future,
        table.principal_first_from_dpd,
        table.due_with_past_due,
    )


def _shares(table: SharesTable) -> SplitRules:
    rules = tuple(
        ShareRule(rule.party, rule.component, rule.fraction, rule.cap_minor, rule.fixed_minor)
        for rule in table.rules
    )
    return SplitRules(rules, table.remainder_party)


def _reminders(table: RemindersTable, timezone: str) -> ReminderPlan:
    hours = table.allowed
    return ReminderPlan(
        rules=tuple(
            ReminderRule(rule.days_before, rule.at, tuple(rule.channels), rule.template)
            for rule in table.rules
        ),
        allowed=DayWindow(hours.opens, hours.closes, hours.timezone or timezone),
        delivery_report_within=timedelta(hours=table.delivery_report_within_hours),
        require_delivered=table.require_delivered,
    )


def _retry(table: RetryTable) -> RetryPlan:
    return RetryPlan(
        attempts_max=table.attempts_max,
        wait_banking_days=tuple(table.wait_banking_days),
        paydays=tuple(table.paydays),
        payday_reach_days=table.payday_reach_days,
        at=table.at,
        stop_after_days=table.stop_after_days,
        declined_retries=table.declined_retries,
    )


def _penalty(table: PenaltyTable, grace_days: int) -> PenaltyRule:
    return PenaltyRule(
        annual_rate_percent=table.annual_rate_percent,
        day_basis=table.day_basis,
        on_interest=table.on_interest,
        grace_days=grace_days,
        steps=tuple((step.from_dpd, step.annual_rate_percent) for step in table.steps),
        compounding=table.compounding,
        cap_minor=table.cap_minor,
        cap_fraction=table.cap_fraction,
    )


def _caps(table: CapsTable, every: Frequency) -> CapRules:
    legal = (legal_caps(name, table.one_year_lpr_percent) for name in table.legal)
    return CapRules(
        caps=(
            *chain.from_iterable(legal),
            *(Cap(own.rule, own.percent, own.measure) for own in table.own),
        ),
        every=every,
        upfront_fraction=table.upfront_fraction,
        upfront_minor=table.upfront_minor,
        each_fraction=table.each_fraction,
        each_minor=table.each_minor,
    )
