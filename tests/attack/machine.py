"""One attack: books, a bank, and every step that a history can take. Every step is always allowed.

A step that finds nothing to act on does nothing, so any step can be left out of a history when a
finding is shrunk. Arguments that pick something are taken modulo what there is.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from domain.calendar import local_day, local_instant
from domain.debit.attempt import DebitOrder
from domain.loan.aggregate import HoldKind
from domain.loan.amounts import Component
from domain.loan.change import Change, Ordered, Refusal
from domain.loan.view import BeatKind
from domain.reconciliation.statement import LineItem
from tests.attack.bank import DRIVER, TRANSFER, Bank, Fact, Named, News, Transfer
from tests.attack.fates import FATES
from tests.attack.findings import Finding
from tests.attack.oracle import Oracle
from tests.attack.setup import BEGINS, Setup
from tests.attack.summary import summary
from tests.support.doors import (
    AnyCommand,
    Cancel,
    ChangeDate,
    Charge,
    Hold,
    IntendDebit,
    MatchLine,
    QueueReminder,
    RecordNoticeReceipt,
    RecordPayment,
    RenewSend,
    RetryNow,
    Review,
    RollDay,
    UndoMatch,
    Unhold,
    Waive,
    WithdrawPayment,
    WriteOff,
)
from tests.support.memory import SHANGHAI, TESTER, MemoryBooks
from tests.support.telling import short

BEATS = {
    BeatKind.REMIND: QueueReminder,
    BeatKind.PRESENT: IntendDebit,
    BeatKind.REVIEW: Review,
}
REACH = timedelta(days=10)
NOW = timedelta()


class Attack:
    """Books under attack, and what was done to them."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.books = MemoryBooks(at=BEGINS, rules=setup.rules)
        self.bank = Bank()
        self.oracle = Oracle(setup, self.books, self.bank)
        self.trace: list[tuple[datetime, AnyCommand, Change | Refusal | None] | str] = []
        self.count = 0
        self.is_mute = False
        for command in setup.boards():
            self._apply(command)

    # --- giving commands -------------------------------------------------------------------------

    def _give(self, kind: Callable[..., Any], actor: Any = TESTER, **values: Any) -> Change | Refusal:
        self.count += 1
        return self._apply(kind(id=f"c{self.count}", actor=actor, reason="attack", **values))

    def _apply(self, command: AnyCommand) -> Change | Refusal:
        try:
            change = self.books.apply(command)
        except Exception as error:
            self.trace.append((self.books.at, command, None))
            raise Finding("crash", f"{type(error).__name__}: {error} on {command}") from error
        self.trace.append((self.books.at, command, change))
        if isinstance(change, Refusal):
            if command.evidence or isinstance(command, RecordPayment):
                raise Finding("evidence.refused", f"{change.rule}: {_short(command)}")
        else:
            self.oracle.after(command, change)
        return change

    @property
    def told(self) -> list[str]:
        """A readable account of what was done and answered."""
        return [
            step if isinstance(step, str) else f"{step[0]:%m-%d %H:%M} {_short(step[1])} -> {_answer(step[2])}"
            for step in self.trace
        ]

    def deliver(self, news: News) -> None:
        """Give the books a piece of news."""
        self.bank.deliver(news)
        self._apply(news.command)

    def _which(self, loan: int, number: int) -> tuple[str, int]:
        loan_id = self.setup.loan_ids[loan % self.setup.loans]
        return loan_id, number % self.setup.installments + 1

    def _order(self, kind: Any, loan: int, number: int, **values: Any) -> Change | Refusal:
        return self.order(kind, *self._which(loan, number), **values)

    def order(self, kind: Any, loan: str, number: int, **values: Any) -> Change | Refusal:
        """Give an order about an installment."""
        return self._give(kind, loan_id=loan, number=number, **values)

    # --- time ------------------------------------------------------------------------------------

    def wait(self, hours: int) -> None:
        """Let hours pass, with nobody rolling the days."""
        self.books.at += timedelta(hours=hours)

    def days(self, days: int) -> None:
        """Let days pass, each rolled in its first hours."""
        for _ in range(days):
            self._to_day(1)
            self.roll()

    def roll(self) -> None:
        """Roll today for every loan."""
        for loan_id in self.setup.loan_ids:
            self._give(RollDay, loan_id=loan_id, day=self.today)

    def _to_day(self, days: int) -> None:
        day = self.today + timedelta(days=days)
        self.books.at = max(self.books.at, local_instant(day, time(1), SHANGHAI))

    def wait_until_day(self, days: int) -> None:
        """Let days pass unrolled, until ten in the morning."""
        day = self.today + timedelta(days=days)
        self.books.at = max(self.books.at, local_instant(day, time(10), SHANGHAI))

    @property
    def today(self) -> date:
        """The local day."""
        return local_day(self.books.at, SHANGHAI)

    # --- the driver ------------------------------------------------------------------------------

    def drive(self, loan: int, number: int, fate: str = "taken") -> None:
        """Perform what comes next until an order is out, waiting up to ten days for each beat."""
        for _ in range(6):
            if self._perform(*self._which(loan, number), fate, REACH) != "more":
                return

    def _perform(self, loan: str, number: int, fate: str, reach: timedelta) -> str:
        """Perform one beat: `sent` when an order went out, `idle` when there is nothing now."""
        view = self.books.view(number, loan)
        beat = view.next_beat
        if beat is None or beat.not_before > self.books.at + reach:
            return "idle"
        self.books.at = max(self.books.at, beat.not_before)
        if beat.kind is BeatKind.ENQUIRE:
            self.deliver(self.bank.inquire(view.order_no, self.books.at))
            return "more"
        change = self._give(
            BEATS[beat.kind],
            DRIVER,
            loan_id=loan,
            number=number,
            beat=beat.key,
            generation=view.generation,
            seen=view.version,
        )
        if isinstance(change, Refusal):
            return "idle"
        if isinstance(change.answer, Ordered):
            self._send(change.answer.order, fate)
            return "sent"
        if beat.kind is BeatKind.REMIND and not self.is_mute:
            self._deliver_notices(loan, number)
        return "more"

    def _deliver_notices(self, loan: str, number: int) -> None:
        for notice in self.books.item(number, loan).notices:
            if notice.state.value == "queued":
                self._give(RecordNoticeReceipt, message_id=notice.message_id, delivered=True)

    def _send(self, order: DebitOrder, fate: str) -> None:
        """The order goes to the rail, which does with it what `fate` says."""
        self.bank.orders[order.order_no] = order
        self.bank.says.pop(order.order_no, None)
        FATES[fate](self, order)

    def ask(self, loan: int, number: int, hours: int = 1) -> None:
        """Inquire about the live order of an installment, some hours later."""
        loan_id, of = self._which(loan, number)
        live = self.books.item(of, loan_id).live_attempt
        if live is not None:
            self.books.at += timedelta(hours=hours)
            self.deliver(self.bank.inquire(live.order_no, self.books.at))

    def renew(self, pick: int) -> None:
        """A sender wants the lease of an order again."""
        orders = list(self.bank.orders.values())
        if orders:
            order = orders[pick % len(orders)]
            self._give(
                RenewSend, loan_id=order.loan_id, number=order.number, order_no=order.order_no
            )

    def work(self) -> bool:
        """Perform everything that is due now, orders being taken; whether anything was."""
        done = False
        for loan_id in self.setup.loan_ids:
            for item in self.books.loans[loan_id].installments:
                for _ in range(6):
                    if self._perform(loan_id, item.number, "taken", NOW) == "idle":
                        break
                    done = True
        return done

    def mute(self) -> None:
        """From now on no message to the borrower arrives, or again it does."""
        self.is_mute = not self.is_mute

    # --- news ------------------------------------------------------------------------------------

    def _available(self) -> list[News]:
        return [news for news in self.bank.pending if news.not_before <= self.books.at]

    def _take(self, news: News) -> None:
        self.bank.pending.remove(news)
        self.bank.delivered.append(news)

    def news(self, pick: int = 0) -> None:
        """One piece of news that waits arrives."""
        if waiting := self._available():
            news = waiting[pick % len(waiting)]
            self._take(news)
            self.deliver(news)

    def all_news(self) -> None:
        """All news that waits arrives."""
        for news in self._available():
            self._take(news)
            self.deliver(news)

    def again(self, pick: int) -> None:
        """News arrives once more under another id: nothing may be booked twice."""
        known = [news for news in self.bank.delivered if news.command.evidence]
        if known:
            news = known[pick % len(known)]
            self.count += 1
            mark = len(self.books.entries)
            self.deliver(replace(news, command=replace(news.command, id=f"again{self.count}")))
            if len(self.books.entries) != mark:
                raise Finding("news.twice", f"{_short(news.command)} was booked again")

    def lose(self, pick: int) -> None:
        """A report is lost; statements never are."""
        reports = [n for n in self.bank.pending if "book_line" != n.command.kind]
        if reports:
            self.bank.pending.remove(reports[pick % len(reports)])

    def burst(self, seed: int) -> None:
        """All news that waits arrives at once; in another order the end would be the same."""
        waiting = self._available()
        other = list(waiting)
        Random(seed).shuffle(other)
        there = self._ending(other)
        here = self._ending(waiting)
        for news in waiting:
            self._take(news)
            self.deliver(news)
        if there != here:
            more = [f"{a} | {b}" for a, b in zip(here, there, strict=False) if a != b]
            extra = set(here) ^ set(there)
            text = "; ".join(sorted(map(str, extra)) or more)
            orders = " / ".join(
                ", ".join(_short(n.command) for n in news) for news in (waiting, other)
            )
            raise Finding("news.order", f"{text}: {orders}")

    def _ending(self, several: list[News]) -> tuple[str, ...]:
        copy = MemoryBooks(
            self.books.at,
            self.books.rules,
            dict(self.books.loans),
            dict(self.books.lines),
            dict(self.books.cases),
            list(self.books.entries),
            said=set(self.books.said),
        )
        for news in several:
            try:
                copy.apply(news.command)
            except Exception as error:
                raise Finding("crash", f"{error!r} on {news.command}") from error
        orders = [n.command.order_no for n in several if n.is_final]  # type: ignore[union-attr]
        disagree = len(orders) != len(set(orders)) or self.oracle.is_lying
        return summary(copy, with_cases=not disagree)

    # --- money that goes back, and money that comes another way ----------------------------------

    def give_back(
        self,
        pick: int,
        part: str = "whole",
        news: str = "both",
        ref: str = "own",
        line: str = "order",
        fee: str = "none",
        code: str = "AM04",
    ) -> None:
        """The bank gives money of an execution back, and tells it in one way or two."""
        open_ones = [i for i in range(len(self.bank.executions)) if self.bank.left_of(i)]
        open_ones = [i for i in open_ones if self.bank.executions[i].on <= self.today]
        if not open_ones:
            return
        index = open_ones[pick % len(open_ones)]
        left = self.bank.left_of(index)
        if fee == "inside" and part != "whole":
            fee = "apart"  # nobody could tell the fee from the money
        minor = {"whole": left, "half": left // 2 + 7, "little": min(left, 1000)}[part]
        back = self.bank.give_back(index, minor, self.today)
        if news != "line":
            name = {"own": self.bank.executions[index].ref, "none": None, "strange": "X9"}[ref]
            self.bank.pending.append(self.bank.report_of_return(back, name, code))
        self.bank.pending.append(self.bank.line_of_return(back, line, fee, code))

    def pay(
        self,
        loan: int,
        number: int,
        minor: int,
        ago: int = 0,
        how: str = "recorded",
        fee: int = 0,
        ref: str = "own",
    ) -> None:
        """The payer sends a transfer: a person records it, a line proves it, or only one of them.

        Payers choose their references: one of its own, the same every time, or what looks like ours.
        """
        loan_id, of = self._which(loan, number)
        fee = min(fee, minor - 1)
        last = next(reversed(self.bank.orders), "1")
        reference = {"own": self.bank.name("T"), "same": "RENT", "ours": f"R-{last}"}[ref]
        on = self.today - timedelta(days=ago)
        index = len(self.bank.transfers)
        self.bank.transfers.append(Transfer(loan_id, of, reference, minor, on))
        fact = (Fact(TRANSFER, index, minor),)
        command = RecordPayment(
            id=self.bank.name("p"),
            actor=TESTER,
            reason="told by the payer",
            loan_id=loan_id,
            number=of,
            reference=reference,
            amount_minor=minor,
            currency="CNY",
            value_on=on,
        )
        named = reference if how != "unnamed" else None
        items = [LineItem(named, None, None, minor, fee)]
        truth = (Named(loan_id, of, "", reference, minor),)
        if how == "netted":  # a debit of nobody's in the same line: it nets to zero
            items.append(LineItem(None, None, None, fee - minor))
        charges = min(50, minor - 1) if how == "charged" else 0
        line = self.bank.line(tuple(items), truth, fact, on, charges_minor=charges)
        recorded = News(command, fact, self.books.at)
        if how in {"recorded", "unnamed"}:
            self.deliver(recorded)
        elif how != "line":
            self.bank.pending.append(recorded)
        self.bank.pending.append(line)

    def return_transfer(self, pick: int) -> None:
        """The payer's bank takes a transfer back, under the transfer's own reference."""
        sent = [t for t in self.bank.transfers if not t.back_minor and t.told_minor]
        if sent:
            one = sent[pick % len(sent)]
            one.back_minor = one.minor
            item = LineItem(one.reference, None, None, -one.minor, 0, "AM04")
            truth = (Named(one.loan, one.number, "", one.reference, -one.minor),)
            self.bank.pending.append(self.bank.line((item,), truth, (), self.today))

    def stray(self, minor: int) -> None:
        """A line that is nobody's and names nothing."""
        reason = "AM04" if minor < 0 else None
        item = LineItem(None, None, None, minor, 0, reason)
        self.bank.pending.append(self.bank.line((item,), (), (), self.today))

    def batch(self) -> None:
        """The bank books what waits for its batch in one line."""
        self.bank.pending.extend(self.bank.close_batch())

    # --- people ----------------------------------------------------------------------------------

    def hold(self, loan: int, number: int, what: str = "all") -> None:
        """An operator holds an installment."""
        self._order(Hold, loan, number, what=HoldKind(what))

    def unhold(self, loan: int, number: int) -> None:
        """An operator lets go."""
        self._order(Unhold, loan, number)

    def retry(self, loan: int, number: int) -> None:
        """An operator orders another presentment."""
        self._order(RetryNow, loan, number)

    def cancel(self, loan: int, number: int) -> None:
        """An operator cancels."""
        self._order(Cancel, loan, number)

    def write_off(self, loan: int, number: int) -> None:
        """An operator writes off."""
        self._order(WriteOff, loan, number)

    def change_date(self, loan: int, number: int, days: int) -> None:
        """An operator moves the due date."""
        self._order(ChangeDate, loan, number, due_on=self.today + timedelta(days=days))

    def waive(self, loan: int, number: int, component: str, minor: int) -> None:
        """An operator waives some or all of a component."""
        loan_id, of = self._which(loan, number)
        part = Component(component)
        owed = self.books.item(of, loan_id).owed.of(part)
        self._order(Waive, loan, number, component=part, amount_minor=min(minor, owed))

    def charge(self, loan: int, number: int, minor: int) -> None:
        """An operator charges a fee."""
        self._order(Charge, loan, number, component=Component.FEE, amount_minor=minor)

    def match(self, pick: int, loan: int, number: int, receipt: int) -> None:
        """An operator says whose money a line is, and may be wrong."""
        lines = [line for line in self.books.lines.values() if line.open_minor]
        loan_id, of = self._which(loan, number)
        known = list(self.oracle.tally.of_loan[loan_id])
        if lines:
            line = lines[pick % len(lines)]
            ref = known[receipt % len(known)] if known else self.bank.name("M")
            minor = abs(line.open_minor)
            self.oracle.is_lying = True
            self._order(
                MatchLine, loan, number, line=line.id, reference=ref, amount_minor=minor
            )

    def undo(self, pick: int) -> None:
        """An operator takes a match back."""
        found = [(line, m) for line in self.books.lines.values() for m in line.matches]
        if found:
            line, match = found[pick % len(found)]
            self._give(
                UndoMatch, loan_id=match.loan_id, number=1, line=line.id, reference=match.receipt
            )

    def withdraw(self, pick: int) -> None:
        """A payment that was recorded was none: no line will come for it."""
        sent = [t for t in self.bank.transfers if not t.back_minor and t.told_minor]
        if sent:
            one = sent[pick % len(sent)]
            self._give(
                WithdrawPayment, loan_id=one.loan, number=one.number, reference=one.reference
            )


def _short(command: AnyCommand) -> str:
    return short(command, {"id", "actor", "kind", "product", "reason", "schedule"})


def _answer(change: Change | Refusal | None) -> str:
    if change is None:
        return "an error"
    if isinstance(change, Refusal):
        return f"refused: {change.rule}"
    moves = [f"{m.target}" for m in change.transitions if m.source != m.target]
    entries = [entry.event for entry in change.entries]
    cases = [f"{case.action} {case.key}" for case in change.cases]
    return ", ".join([type(change.answer).__name__, *moves, *entries, *cases])
