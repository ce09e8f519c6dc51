"""Activities of debits: intent, one POST and its outcome in one activity; inquiry for the rest.

Order of things, and why: the intent is committed before the first byte leaves, so a crash at any
later point is known to the books. Whoever finds an intent that was committed before (a replayed
answer) may not be the first to send it, and asks the rail before anything else.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.actions import ActionOrder, about
from activities.answers import apply, view_of
from activities.shielded import heartbeats, shielded
from activities.subjects import ViewQueries
from domain.debit.attempt import LIVE, Attempt, DebitOrder
from domain.debit.outcome import NO_ANSWER, Outcome, OutcomeClass, OutcomeStatus
from domain.kernel import canonical
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Actor
from domain.kernel.subject import Subject
from domain.loan.aggregate import Loan
from domain.loan.change import Ordered
from domain.loan.commands import IntendDebit, RecordOutcome, RecordUnsent, RenewSend
from domain.loan.view import INSTALLMENT, ActionKind, InstallmentView, installment, installment_of
from ports.books import Books
from ports.clock import Clock
from ports.rail import Rail, RailUnavailable

DRIVER = Actor("workflow", INSTALLMENT)
_TRIES = 3
_FIRST_WAIT_S = 0.5
_ANSWER_WITHIN_S = 60.0


class DebitQueries(ViewQueries, Protocol):
    """The part of `ports.driverqueries.DriverQueries` that debits need."""

    async def loan(self, loan_id: str) -> Loan | None:
        """The whole aggregate."""
        ...


class DebitActivities:
    """Presents debits and inquires about them; it never decides what comes next.

    A refusal or an unknown outcome is a value in the view; only faults are raised.
    """

    def __init__(
        self, books: Books, queries: DebitQueries, rails: Mapping[str, Rail], clock: Clock
    ) -> None:
        self._books, self._queries, self._rails, self._clock = books, queries, rails, clock

    @activity.defn(name="debits.present")
    async def present(self, order: ActionOrder) -> InstallmentView:
        """Intend, send once, record; ask first when an earlier try may have sent the order."""
        async with heartbeats():
            return await shielded(self._present(order))

    @activity.defn(name="debits.inquire")
    async def inquire(self, order: ActionOrder) -> InstallmentView:
        """Ask the rail by our order number and record what it says."""
        async with heartbeats():
            return await shielded(self._inquire_live(order))

    # --- presenting ------------------------------------------------------------------------------

    async def _present(self, order: ActionOrder) -> InstallmentView:
        answer = await apply(self._books, order.command(IntendDebit))
        if isinstance(answer, Refused) or not isinstance(answer.answer, Ordered):
            return view_of(answer)
        if answer.replayed:
            return await self._resume(order, answer.answer.order, view_of(answer))
        return await self._send(answer.answer.order)

    async def _resume(
        self, order: ActionOrder, debit: DebitOrder, view: InstallmentView
    ) -> InstallmentView:
        """Somebody intended this before and may have sent it: ask, and only then send again."""
        if view.detail.order_no != debit.order_no or view.detail.attempt_state not in LIVE:
            return view
        if view.next_action is not None and view.next_action.kind == ActionKind.PRESENT:
            return view  # known not to have left; it will be sent again at its own time
        said, view = await self._ask(order, debit.rail, debit.order_no, debit.merchant_id)
        if said.status is not OutcomeStatus.NOT_FOUND or view.detail.attempt_state not in LIVE:
            return view
        if not self._rail(debit.rail).profile.idempotent:
            return view
        renewed = await self._renew(order, debit.order_no)
        if isinstance(renewed, Applied) and isinstance(renewed.answer, Ordered):
            return await self._send(renewed.answer.order)
        return view_of(renewed)

    async def _renew(self, order: ActionOrder, order_no: str) -> Applied | Refused:
        attempt = await self._attempt(order, order_no)
        sends = attempt.sends if attempt else 0
        command = about(
            order.subject,
            RenewSend,
            id=f"renew/{order_no}/{sends}/{_run_of(order)}",
            reason="the rail does not know the order and executes a number at most once",
            order_no=order_no,
        )
        answer = await apply(self._books, command)
        if answer.replayed:
            # Renewed before by a try that died: that one may have sent; the lease runs out first.
            return Refused("lease", "renewed by an earlier try", answer.view)
        return answer

    async def _send(self, debit: DebitOrder) -> InstallmentView:
        """POST the order once, inside its lease, and record what came of it."""
        rail = self._rail(debit.rail)
        wait = _FIRST_WAIT_S
        for left_over in reversed(range(_TRIES)):
            if self._clock.now() >= debit.send_until:
                break
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    said = await rail.present(debit)
            except RailUnavailable as refusal:
                wait = max(wait, refusal.retry_after_s or 0.0)
                left = (debit.send_until - self._clock.now()).total_seconds()
                if wait >= left or not left_over:
                    break
                await asyncio.sleep(wait)
                wait *= 4
            except Exception:  # noqa: BLE001 - it may have left: unknown is not declined
                activity.logger.exception("rail %s failed while presenting", debit.rail)
                return await self._record(debit.rail, debit.order_no, NO_ANSWER, _lease_key(debit))
            else:
                return await self._record(debit.rail, debit.order_no, said, _lease_key(debit))
        return await self._unsent(debit)

    async def _unsent(self, debit: DebitOrder) -> InstallmentView:
        """Nothing left under this lease. Under a later lease somebody else may be sending."""
        loan = await self._queries.loan(debit.loan_id)
        attempts = loan.installment(debit.number).attempts if loan else ()
        mine = [item for item in attempts if item.order_no == debit.order_no]
        if not mine or mine[0].send_until != debit.send_until:
            return await self._view(installment(debit.loan_id, debit.number))
        command = RecordUnsent(
            id=f"unsent/{debit.order_no}/{mine[0].sends}/{_lease(debit)}",
            actor=DRIVER,
            reason="the rail did not take the order and nothing left",
            order_no=debit.order_no,
            sends=mine[0].sends,
        )
        return view_of(await apply(self._books, command))

    # --- asking ----------------------------------------------------------------------------------

    async def _inquire_live(self, order: ActionOrder) -> InstallmentView:
        attempt = await self._attempt(order)
        if attempt is None:
            return await self._view(order.subject)
        _, view = await self._ask(order, attempt.rail, attempt.order_no, attempt.merchant_id)
        return view

    async def _ask(
        self, order: ActionOrder, rail: str, order_no: str, merchant_id: str
    ) -> tuple[Outcome, InstallmentView]:
        """Ask and record what the rail says. A missing answer is recorded too, as an inquiry."""
        said = Outcome(OutcomeClass.TECH, "UNAVAILABLE")
        wait = _FIRST_WAIT_S
        for left in reversed(range(_TRIES)):
            asked_at = self._clock.now()
            try:
                async with asyncio.timeout(_ANSWER_WITHIN_S):
                    said = await self._rail(rail).inquire(order_no, merchant_id)
                break
            except (RailUnavailable, TimeoutError):
                if left:
                    await asyncio.sleep(wait)
                    wait *= 4
            except Exception:  # noqa: BLE001 - an answer that cannot be read is no final outcome
                activity.logger.exception("rail %s failed while inquiring", rail)
                said = Outcome(OutcomeClass.TECH, "UNREADABLE")
                break
        asked = f"inquiry/{order.action.key}/{_run_of(order)}"
        return said, await self._record(rail, order_no, said, asked, asked_at)

    async def _record(
        self,
        rail: str,
        order_no: str,
        said: Outcome,
        run: str,
        asked_at: datetime | None = None,
    ) -> InstallmentView:
        """Bring an outcome to the books; the same one of one run is the same command."""
        command = RecordOutcome(
            id=f"outcome/{order_no}/{run}/{canonical.digest(said)[:16]}",
            actor=DRIVER,
            reason=said.code,
            rail=rail,
            order_no=order_no,
            outcome=said,
            source=run.partition("/")[0],
            asked_at=asked_at,
        )
        return view_of(await apply(self._books, command))

    # --- looking up ------------------------------------------------------------------------------

    async def _attempt(self, order: ActionOrder, order_no: str | None = None) -> Attempt | None:
        loan_id, number = installment_of(order.subject)
        loan = await self._queries.loan(loan_id)
        live = loan.installment(number).live_attempt if loan else None
        if live is None or (order_no is not None and live.order_no != order_no):
            return None
        return live

    async def _view(self, subject: Subject) -> InstallmentView:
        view = await self._queries.view(subject)
        if view is None:
            raise ApplicationError(f"the books know no {subject}")
        return view

    def _rail(self, name: str) -> Rail:
        try:
            return self._rails[name]
        except KeyError:
            raise ApplicationError(f"this worker does not serve rail {name!r}") from None


def _run_of(order: ActionOrder) -> str:
    """Ending of a command's id that differs for each call to a rail: each answer is recorded."""
    return f"{order.seen}.{order.run}.{activity.info().attempt}"


def _lease(debit: DebitOrder) -> int:
    return int(debit.send_until.timestamp())


def _lease_key(debit: DebitOrder) -> str:
    return f"answer/{_lease(debit)}"
