"""Intent, POST and outcome in one activity: what it does at each point where it can be cut."""

import asyncio
import dataclasses
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.actions import ActionOrder
from activities.debits import DebitActivities
from activities.shielded import shielded
from domain.debit.outcome import NO_ANSWER, Outcome
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind, InstallmentView, installment
from ports.rail import RailUnavailable
from tests.fakes.books import FakeBooks
from tests.fakes.clock import FakeClock
from tests.fakes.rails import NOT_FOUND, FakeRail, profile
from tests.support.doors import RecordOutcome


class Bench:
    """A debit activity with its fakes, at the moment of its first presentment."""

    def __init__(self, *, idempotent: bool = False) -> None:
        self.rail = FakeRail(profile("r", idempotent=idempotent))
        self.books = FakeBooks("r", "L-1")
        self.books.change(next_action=self.books.action(ActionKind.PRESENT, timedelta(0)))
        self.clock = FakeClock()
        self.activities = DebitActivities(self.books, self.books, {"r": self.rail}, self.clock)
        view = self.books.current
        assert view.next_action is not None
        self.order = ActionOrder(installment("L-1", 1), 1, view.version, view.next_action)

    async def present(self, attempt: int = 1) -> InstallmentView:
        return await self.environment(attempt).run(self.activities.present, self.order)

    def environment(self, attempt: int = 1) -> ActivityEnvironment:
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, attempt=attempt)
        return environment


async def test_crash_after_the_intent_is_inquired_before_anything_else() -> None:
    """A worker that died between intent and POST may have sent: the next try asks, never posts."""
    bench = Bench()
    await _intend_only(bench)
    assert len(bench.books.attempts) == 1
    view = await bench.present(attempt=2)
    assert view.state == State.CLEARING
    assert bench.rail.posted == []
    assert len(bench.rail.inquired) == 1


async def test_crash_after_the_post_records_what_the_rail_knows() -> None:
    """A worker that died between POST and outcome: one POST, one inquiry, the rail's word."""
    bench = Bench()
    bench.books.fail_next = []
    original = bench.books.apply

    async def dies_on_outcome(command: object) -> object:
        if type(command).__name__ == "RecordOutcome" and not bench.rail.inquired:
            raise ConnectionError("the worker is gone")
        return await original(command)  # type: ignore[arg-type]

    bench.books.apply = dies_on_outcome  # type: ignore[method-assign, assignment]
    with pytest.raises(ConnectionError):
        await bench.present()
    view = await bench.present(attempt=2)
    assert view.state == State.CLEARING
    assert len(bench.rail.posted) == 1


async def test_not_found_before_the_window_leaves_the_order_in_doubt() -> None:
    """*Not found* right after a crash proves nothing: in doubt, and no second POST."""
    bench = Bench()
    await _intend_only(bench)
    bench.books.lease_passed = False
    bench.rail.inquiries = [NOT_FOUND]
    view = await bench.present(attempt=2)
    assert view.state == State.IN_DOUBT
    assert bench.rail.posted == []


async def test_idempotent_rail_is_sent_the_same_number_again() -> None:
    """Where one number is executed at most once, the lease is renewed and the same order sent."""
    bench = Bench(idempotent=True)
    await _intend_only(bench)
    bench.books.conclusive = False
    bench.rail.inquiries = [NOT_FOUND]
    view = await bench.present(attempt=2)
    assert view.state == State.CLEARING
    assert bench.rail.posted == bench.rail.inquired
    assert bench.books.attempts[0].sends == 2


async def test_lease_that_has_passed_is_not_sent() -> None:
    """A sender that was slow to start finds its lease over: nothing leaves, and the books know."""
    bench = Bench()
    bench.clock.offset = timedelta(minutes=5)
    view = await bench.present()
    assert bench.rail.posted == []
    assert len(bench.books.applied("record_unsent")) == 1
    assert view.state == State.DUE


async def test_unsent_under_an_old_lease_says_nothing_about_a_later_one() -> None:
    """Whoever lost its lease to another sender does not report the order as unsent."""
    bench = Bench()
    bench.clock.offset = timedelta(minutes=5)
    original = bench.books.loan

    async def renewed(loan_id: str) -> object:
        last = bench.books.attempts[-1]
        later = last.send_until + timedelta(minutes=10)
        bench.books.attempts[-1] = dataclasses.replace(last, send_until=later, sends=2)
        return await original(loan_id)

    bench.books.loan = renewed  # type: ignore[method-assign, assignment]
    await bench.present()
    assert bench.books.applied("record_unsent") == []


async def test_error_nobody_expected_while_presenting_is_no_final_outcome() -> None:
    """An exception of a rail's own code may come after the bytes left: unknown, then inquired."""
    bench = Bench()
    bench.rail.presents = [ValueError("cannot read the answer")]
    view = await bench.present()
    assert view.state == State.IN_DOUBT
    assert view.labels.code == NO_ANSWER.code


async def test_rail_that_wants_a_longer_rest_than_the_lease_is_left_alone() -> None:
    """`retry_after` beyond the lease: no waiting in the activity, the books plan the next time."""
    bench = Bench()
    bench.rail.presents = [RailUnavailable("http_429", retry_after_s=600)]
    async with asyncio.timeout(5):
        await bench.present()
    assert len(bench.books.applied("record_unsent")) == 1


async def test_inquiry_without_an_answer_counts_as_an_inquiry() -> None:
    """A rail that is down while asked: recorded as unknown, so that the next wait grows."""
    bench = Bench()
    bench.rail.presents = [NO_ANSWER]
    view = await bench.present()
    bench.rail.inquiries = [RailUnavailable("connect")]
    assert view.next_action is not None
    order = ActionOrder(installment("L-1", 1), 1, view.version, view.next_action)
    after = await bench.environment().run(bench.activities.inquire, order)
    assert after.version > view.version
    assert after.state is State.IN_DOUBT


async def test_an_inquiry_says_when_it_began_to_ask() -> None:
    """*Not found* is judged by that instant: the books may learn of it much later."""
    bench = Bench()
    bench.rail.presents = [NO_ANSWER]
    view = await bench.present()
    bench.rail.inquiries = [NOT_FOUND]
    began = bench.clock.now()
    ask = bench.rail.inquire

    async def slow(order_no: str, merchant_id: str) -> Outcome:
        bench.clock.offset += timedelta(hours=1)
        return await ask(order_no, merchant_id)

    bench.rail.inquire = slow  # type: ignore[method-assign]
    assert view.next_action is not None
    order = ActionOrder(installment("L-1", 1), 1, view.version, view.next_action)
    await bench.environment().run(bench.activities.inquire, order)
    answer, asked = bench.books.applied("record_outcome")
    assert isinstance(answer, RecordOutcome)
    assert answer.asked_at is None, "an answer to a POST is no inquiry"
    assert isinstance(asked, RecordOutcome)
    assert asked.asked_at is not None
    assert began <= asked.asked_at < began + timedelta(minutes=1)


async def test_inquiry_when_nothing_is_out_only_looks() -> None:
    """A final outcome that came meanwhile makes the inquiry needless: no call is made."""
    bench = Bench()
    view = await bench.present()
    assert view.next_action is not None
    order = ActionOrder(installment("L-1", 1), 1, view.version, view.next_action)
    again = await bench.environment().run(bench.activities.inquire, order)
    assert again.version == view.version
    assert bench.rail.inquired == []


async def test_cancelled_activity_still_records_what_it_sent() -> None:
    """Cancellation between POST and outcome does not part the two."""
    bench = Bench()
    answer = bench.rail.stop_after_send = asyncio.Event()
    environment = bench.environment()
    work = asyncio.create_task(environment.run(bench.activities.present, bench.order))
    await bench.rail.sent.wait()
    environment.cancel()
    await asyncio.sleep(0.05)
    answer.set()
    view = await work
    assert view.state == State.CLEARING


async def test_shielded_work_passes_its_own_error_on() -> None:
    """What fails inside shielded work fails outside as itself."""

    async def fails() -> Outcome:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        await shielded(fails())


async def _intend_only(bench: Bench) -> None:
    """A first try that commits the intent and dies before it sends."""
    send = bench.activities._send
    bench.activities._send = _die  # type: ignore[method-assign, assignment]
    with pytest.raises(ConnectionError):
        await bench.present()
    bench.activities._send = send  # type: ignore[method-assign]


async def _die(_debit: object) -> None:
    raise ConnectionError("the worker is gone")
