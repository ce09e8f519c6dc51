"""The payouts of one decision: moved, their items kept or released, their drivers notified."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from domain.errors import InvariantBroken
from domain.kernel.change import Transition
from domain.kernel.command import Command
from domain.kernel.driver import DriverRecord, inform
from domain.kernel.subject import Subject
from domain.ledger.bankaccount import BankAccount
from domain.ledger.entry import Posting
from domain.loan.change import Aggregates
from domain.loan.decide.mandatework import MandateWork
from domain.loan.payables import Key
from domain.payment.portion import RefundStage
from domain.payout import agenda
from domain.payout.agenda import PayoutRules
from domain.payout.decide import moved
from domain.payout.items import ItemSum
from domain.payout.lifecycle import PayoutEvent
from domain.payout.payout import Payout
from domain.payout.standing import Standing

MoveRefund = Callable[[Any, Payout, RefundStage | None], tuple[Posting, ...]]
"""Brings what a refund takes of its payment to a stage; gives what is posted of it."""


def no_refund(_work: object, payout: Payout, _stage: RefundStage | None) -> tuple[Posting, ...]:
    """Where nobody has said who moves refunds.

    Raises:
        InvariantBroken: always.
    """
    raise InvariantBroken(f"nobody moves refund {payout.key}")


class PayoutWork(MandateWork):
    """The part of a decision that is about payouts."""

    def __init__(self, aggregates: Aggregates, command: Command | None = None) -> None:
        super().__init__(aggregates, command)
        self._move_refund: MoveRefund = no_refund
        self.payouts: dict[str, Payout] = dict(aggregates.payouts)
        self.taken_items = aggregates.taken_items
        """What payouts have taken of some payable items, as far as the books have looked."""
        self.asked_items: list[Key] = []
        """Payable items of which that must be known, though nothing lowers them."""
        self._taken = aggregates.taken
        self._standings = aggregates.standings
        self._changed_payouts: dict[str, None] = {}
        self._opening_payouts: set[str] = set()
        self._keeps: dict[str, None] = {}
        self._releases: dict[str, None] = {}

    @property
    def payout_rules(self) -> PayoutRules:
        """The policy of payees, channels and calendars."""
        return self.rules.payouts

    def bank_account(self, name: str) -> BankAccount | None:
        """A registered bank account."""
        return self.rules.accounts.get(name)

    def payout(self, key: str) -> Payout | None:
        """The payout as it is now in this decision."""
        return self.payouts.get(key)

    def taken(self, key: str) -> ItemSum | None:
        """What the items come to that the books have set aside for a request."""
        return self._taken.get(key)

    def standing(self, key: str) -> Standing:
        """What lies on the account of a payout that is to be instructed.

        Raises:
            InvariantBroken: the books have not looked.
        """
        found = self._standings.get(key)
        if found is None:
            raise InvariantBroken(f"nobody has looked at the account of payout {key}")
        return found

    def put_payout(self, payout: Payout) -> None:
        """Replace a payout without a move."""
        self.payouts[payout.key] = payout
        self._changed_payouts[payout.key] = None

    def move_payout(self, payout: Payout, event: PayoutEvent, detail: str = "") -> None:
        """Move a payout along the table and write the move; a final one is opened again."""
        known = self.payouts.get(payout.key)
        rules = self.payout_rules
        was_final = known is not None and agenda.is_final(known)
        now = moved(payout, event, self.at)
        if was_final and not agenda.is_final(now):
            driver = DriverRecord(opened=True)
            now = replace(now, generation=now.generation + 1, driver=driver)
        if known is None or was_final:
            self._opening_payouts.add(payout.key)
        self.put_payout(now)
        source = known.state.value if known is not None else ""
        product = f"remittance@{rules.policy.version}"
        self._transitions.append(
            Transition(now.subject, "", source, now.state.value, event, product, None, detail)
        )

    def keep_items(self, key: str) -> None:
        """The items that were set aside for a request are its items from now on."""
        self._keeps[key] = None

    def release_items(self, key: str) -> None:
        """The items of a payout are open again; a refund has none in rows."""
        if self.payouts[key].refund is None:
            self._releases[key] = None

    def move_refund(self, payout: Payout, stage: RefundStage | None) -> tuple[Posting, ...]:
        """Bring what a refund takes of its payment to a stage, or have it wait again."""
        return () if payout.refund is None else self._move_refund(self, payout, stage)

    def _report_payouts(self, subject: Subject | None) -> dict[str, Payout]:
        """The payouts that were changed, with versions raised; their drivers are notified."""
        for key in self._changed_payouts:
            payout = replace(self.payouts[key], version=self.payouts[key].version + 1)
            view = agenda.view_of(payout, self.payout_rules, self.at)
            answered = self._from_driver and subject == payout.subject
            record = replace(payout.driver, opened=True)
            opening = key in self._opening_payouts
            driver, message = inform(record, view, answered=answered, opening=opening)
            self.payouts[key] = replace(payout, driver=driver)
            if message is not None:
                self._messages.append(message)
        return {key: self.payouts[key] for key in sorted(self._changed_payouts)}
