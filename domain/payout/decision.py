"""The part of a decision being worked out that payouts need."""

from typing import Any, Protocol, TypeVar

from domain.case.case import Case
from domain.kernel.change import Answer
from domain.ledger.bankaccount import BankAccount
from domain.ledger.entry import Entry, Posting
from domain.payment.portion import RefundStage
from domain.payout.agenda import PayoutRules
from domain.payout.items import ItemSum
from domain.payout.lifecycle import PayoutEvent
from domain.payout.payout import Payout
from domain.payout.standing import Standing

C_co = TypeVar("C_co", covariant=True)


class Decision(Protocol[C_co]):
    """The part of a decision being worked out that payouts need."""

    @property
    def at(self) -> Any:  # noqa: ANN401  (an instant, UTC)
        """The instant of the command, UTC."""
        ...

    @property
    def payout_rules(self) -> PayoutRules:
        """The policy of payees, channels and calendars."""
        ...

    def bank_account(self, name: str) -> BankAccount | None:
        """A registered bank account."""
        ...

    def payout(self, key: str) -> Payout | None:
        """The payout as it is now in this decision."""
        ...

    def taken(self, key: str) -> ItemSum | None:
        """What the items come to that the books have set aside for a request, if there are any."""
        ...

    def standing(self, key: str) -> Standing:
        """What lies on the account of a payout that is to be instructed."""
        ...

    def move_payout(self, payout: Payout, event: PayoutEvent, detail: str = "") -> None:
        """Move a payout along the table and write the move to the journal."""
        ...

    def put_payout(self, payout: Payout) -> None:
        """Replace a payout without a move."""
        ...

    def keep_items(self, key: str) -> None:
        """The items that were set aside for a request are its items from now on."""
        ...

    def release_items(self, key: str) -> None:
        """The items of a payout are open again."""
        ...

    def move_refund(self, payout: Payout, stage: RefundStage | None) -> tuple[Posting, ...]:
        """Bring what a refund takes of its payment to a stage, or (None) have it wait again.

        Gives what is posted of it; nothing for a payout that is a remittance.
        """
        ...

    def post(self, entry: Entry) -> None:
        """Post an entry."""
        ...

    def open_case(self, case: Case) -> None:
        """Open a case unless one of its key is open; one that was resolved is opened again."""
        ...

    def follow_amount(self, case: Case) -> None:
        """Have a case say an amount for as long as there is one: opened, amended or ended."""
        ...

    def close_case(self, key: str, why: str = "") -> None:
        """End the case of a key, if one is open."""
        ...

    def case(self, key: str) -> Case | None:
        """The case as it is now in this decision, resolved ones included."""
        ...

    def finish_payout(self, answer: Answer, key: str) -> C_co:
        """End the decision with the view of a payout."""
        ...
