"""What every rail has to hold, whatever its wire: one suite, run over each of them.

A rail's test file subclasses `RailContract` and gives the fixture `bank`.
"""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.calendar import local_day
from domain.debit.outcome import OutcomeClass, OutcomeStatus
from domain.errors import InvalidInput
from ports.rail import CANCELLED_CODE, Forged, RailUnavailable, Recalled
from tests.adapters.rails.bank import SimulatedBank, build_mandate, build_order


class RailContract:
    """Tests in terms of the port only; order numbers are fixed so that a seeded bank repeats."""

    async def test_a_good_order_is_confirmed_with_what_the_bank_took(
        self, bank: SimulatedBank
    ) -> None:
        """Amount and bank reference of a confirmation are those of the one real execution."""
        await bank.rail.put_mandate(build_mandate("M-good"), "CNY")
        order = build_order(bank.rail.profile, bank.now(), order_no="C-good", mandate_ref="M-good")
        outcome = await bank.rail.present(order)
        [execution] = await bank.executions("C-good")
        assert outcome.status is OutcomeStatus.CONFIRMED
        assert outcome.executed_minor == execution["amount_minor"] == 10_000
        assert outcome.bank_ref == execution["bank_ref"]
        assert outcome.executed_on == local_day(bank.now(), bank.rail.profile.timezone)

    async def test_one_order_number_is_executed_once_however_often_it_is_sent(
        self, bank: SimulatedBank
    ) -> None:
        """A rail that calls itself idempotent answers a repeat from what it has stored."""
        assert bank.rail.profile.idempotent
        await bank.rail.put_mandate(build_mandate("M-again"), "CNY")
        order = build_order(
            bank.rail.profile, bank.now(), order_no="C-again", mandate_ref="M-again"
        )
        first = await bank.rail.present(order)
        second = await bank.rail.present(
            replace(order, send_until=order.send_until + timedelta(minutes=5))
        )
        assert first == second
        assert len(await bank.executions("C-again")) == 1

    async def test_an_inquiry_tells_what_the_answer_reported(self, bank: SimulatedBank) -> None:
        """POST answer and inquiry are two ways to the same news."""
        await bank.rail.put_mandate(build_mandate("M-ask"), "CNY")
        order = build_order(bank.rail.profile, bank.now(), order_no="C-ask", mandate_ref="M-ask")
        reported = await bank.rail.present(order)
        assert await bank.rail.inquire("C-ask", order.merchant_id) == reported

    async def test_an_order_that_never_came_is_not_found_and_not_declined(
        self, bank: SimulatedBank
    ) -> None:
        """NOT_FOUND is a status of its own: only time makes it evidence."""
        outcome = await bank.rail.inquire("C-never", "M-1")
        assert outcome.outcome_class is OutcomeClass.NOT_FOUND
        assert outcome.status is OutcomeStatus.NOT_FOUND

    async def test_the_same_number_with_another_amount_is_no_final_outcome(
        self, bank: SimulatedBank
    ) -> None:
        """A duplicate says nothing about the first order, so it is asked about."""
        await bank.rail.put_mandate(build_mandate("M-dup"), "CNY")
        order = build_order(bank.rail.profile, bank.now(), order_no="C-dup", mandate_ref="M-dup")
        await bank.rail.present(order)
        outcome = await bank.rail.present(replace(order, amount_minor=order.amount_minor + 1))
        assert outcome.outcome_class is OutcomeClass.DUPLICATE
        assert outcome.status is OutcomeStatus.UNKNOWN

    async def test_a_debit_without_authority_is_a_mandate_refusal(
        self, bank: SimulatedBank
    ) -> None:
        """An ended mandate, ended twice even, refuses the debit for that reason."""
        await bank.rail.put_mandate(build_mandate("M-ended"), "CNY")
        await bank.rail.end_mandate("M-ended")
        await bank.rail.end_mandate("M-ended")
        await bank.rail.end_mandate("M-never-lodged")
        order = build_order(
            bank.rail.profile, bank.now(), order_no="C-ended", mandate_ref="M-ended"
        )
        assert (await bank.rail.present(order)).outcome_class is OutcomeClass.MANDATE
        with pytest.raises(InvalidInput, match="mandate"):
            await bank.rail.put_mandate(build_mandate("M-ended"), "CNY")

    async def test_a_debit_above_the_mandates_cap_is_refused_by_limit(
        self, bank: SimulatedBank
    ) -> None:
        """The cap lodged with the mandate is in force at the bank."""
        await bank.rail.put_mandate(build_mandate("M-cap", cap_minor=9_999), "CNY")
        order = build_order(bank.rail.profile, bank.now(), order_no="C-cap", mandate_ref="M-cap")
        assert (await bank.rail.present(order)).outcome_class is OutcomeClass.LIMIT

    async def test_an_order_ahead_of_its_day_is_pending_and_can_be_recalled(
        self, bank: SimulatedBank
    ) -> None:
        """After the rail agreed to a recall nothing is executed, and inquiry says so."""
        await bank.rail.put_mandate(build_mandate("M-ahead"), "CNY")
        today = local_day(bank.now(), bank.rail.profile.timezone)
        order = build_order(
            bank.rail.profile,
            bank.now(),
            order_no="C-ahead",
            mandate_ref="M-ahead",
            value_on=today + timedelta(days=3),
        )
        assert (await bank.rail.present(order)).status is OutcomeStatus.PENDING
        assert await bank.rail.cancel("C-ahead", order.merchant_id) == Recalled("C-ahead")
        asked = await bank.rail.inquire("C-ahead", order.merchant_id)
        assert (asked.code, asked.executed_minor) == (CANCELLED_CODE, 0)
        assert await bank.executions("C-ahead") == []

    async def test_an_executed_order_cannot_be_recalled(self, bank: SimulatedBank) -> None:
        """A recall that comes too late is no outcome: the order itself is asked about."""
        await bank.rail.put_mandate(build_mandate("M-late"), "CNY")
        order = build_order(bank.rail.profile, bank.now(), order_no="C-late", mandate_ref="M-late")
        await bank.rail.present(order)
        answer = await bank.rail.cancel("C-late", order.merchant_id)
        assert not isinstance(answer, Recalled)
        assert answer.status is OutcomeStatus.PENDING

    async def test_nothing_is_sent_after_the_senders_lease(self, bank: SimulatedBank) -> None:
        """Once the lease is over another sender may be at work, so this one does not send."""
        order = build_order(
            bank.rail.profile,
            bank.now(),
            order_no="C-lease",
            send_until=bank.now() - timedelta(seconds=1),
        )
        with pytest.raises(RailUnavailable, match="lease_over"):
            await bank.rail.present(order)
        assert all(row["order_no"] != "C-lease" for row in await bank.truth())

    async def test_an_unsigned_report_is_refused(self, bank: SimulatedBank) -> None:
        """Without proof of its sender a report is not even read."""
        with pytest.raises(Forged):
            bank.rail.reports({}, b'{"type": "order.finished"}', bank.now())
