"""When an order may be presented: the first moment, and the moments a rail takes orders at all."""

from dataclasses import dataclass
from datetime import date, datetime, time

from domain.calendar import (
    ONE_DAY,
    Adjust,
    BankingCalendar,
    DayWindow,
    local_day,
    local_instant,
)
from domain.debit.rail import RailProfile


@dataclass(frozen=True, slots=True)
class Presentment:
    """The slot of a first presentment.

    Attributes:
        not_before: UTC instant from which the order may be sent.
        last_at: UTC instant from which the order is too late for `value_on` (exclusive).
        value_on: the day for which the debit is ordered.
        reason: why these, in words for people.
    """

    not_before: datetime
    last_at: datetime
    value_on: date
    reason: str


def taking_orders(rail: RailProfile) -> DayWindow:
    """The part of a day in which the rail takes orders for that day.

    It is open, and it is before the cut-off and the cut of the day's last file.
    """
    return DayWindow(rail.opens, min(rail.closes, rail.cut_off, *rail.cuts[-1:]), rail.timezone)


def next_cut(at: datetime, rail: RailProfile, calendar: BankingCalendar) -> datetime | None:
    """The UTC instant after `at` at which the next file leaves; None where there are no files."""
    if not rail.cuts:
        return None
    day = local_day(at, rail.timezone)
    if order_day(rail, calendar, day) == day:
        for cut in rail.cuts:
            if (instant := local_instant(day, cut, rail.timezone)) > at:
                return instant
    ahead = order_day(rail, calendar, day + ONE_DAY)
    return local_instant(ahead, rail.cuts[0], rail.timezone)


def order_day(rail: RailProfile, calendar: BankingCalendar, day: date) -> date:
    """The first day, not before `day`, on which the rail takes orders."""
    return day if rail.every_day else calendar.adjust(day, Adjust.FOLLOWING)


def value_day(rail: RailProfile, calendar: BankingCalendar, ordered_on: date) -> date:
    """The day that an order of `ordered_on` (a day of orders) is executed for."""
    if rail.lead_banking_days == 0:
        return ordered_on
    return calendar.add_banking_days(ordered_on, rail.lead_banking_days)


def earliest_slot(at: datetime, rail: RailProfile, calendar: BankingCalendar) -> datetime:
    """The first UTC instant, not before `at`, at which the rail takes an order.

    Inside the rail's window and before its cut-off, on a banking day unless the rail works
    every day.
    """
    window = taking_orders(rail)
    today = local_day(at, rail.timezone)
    if order_day(rail, calendar, today) == today:
        closes = local_instant(today, window.closes, rail.timezone)
        if at < closes:
            return max(at, local_instant(today, window.opens, rail.timezone))
    ahead = order_day(rail, calendar, today + ONE_DAY)
    return local_instant(ahead, window.opens, rail.timezone)


def first_presentment(
    due_on: date, present_at: time, rail: RailProfile, calendar: BankingCalendar
) -> Presentment:
    """When the debit of an installment due on `due_on` is to be sent first.

    The value day is the due date, moved to the following banking day unless the rail works every
    day; the order goes out the rail's lead before it, at `present_at` (local to the rail) where
    that lies inside the window, otherwise when the window opens.
    """
    window = taking_orders(rail)
    # A rail with a lead settles through banks, so its value day is a banking day all the same.
    every_day = rail.every_day and rail.lead_banking_days == 0
    value_on = due_on if every_day else calendar.adjust(due_on, Adjust.FOLLOWING)
    sent_on = value_on
    if rail.lead_banking_days > 0:
        sent_on = calendar.add_banking_days(value_on, -rail.lead_banking_days)
    fits = window.opens <= present_at < window.closes
    at = present_at if fits else window.opens
    said = [f"due {due_on}"]
    if value_on != due_on:
        said.append(f"no banking day, so value {value_on}")
    if sent_on != value_on:
        said.append(f"sent {rail.lead_banking_days} banking days ahead")
    if not fits:
        said.append(f"{present_at:%H:%M} is outside {window.opens:%H:%M}-{window.closes:%H:%M}")
    said.extend(unconfirmed(calendar, value_on))
    return Presentment(
        not_before=local_instant(sent_on, at, rail.timezone),
        last_at=local_instant(sent_on, window.closes, rail.timezone),
        value_on=value_on,
        reason="; ".join(said),
    )


def unconfirmed(calendar: BankingCalendar, *days: date) -> tuple[str, ...]:
    """A remark when a result depends on a day that the calendar's source does not cover."""
    open_days = [day for day in days if not calendar.is_confirmed(day)]
    if not open_days:
        return ()
    return (f"calendar {calendar.name} is not confirmed for {min(open_days)}",)
