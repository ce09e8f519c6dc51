"""What a channel of payouts does for us: send a transfer once, and say what became of it."""

from typing import Protocol

from domain.debit.outcome import Outcome
from domain.payout.payout import PayoutOrder


class PayoutChannel(Protocol):
    """A bank or provider that pays money out of accounts. It decides nothing.

    What it can do and when is a profile in the rule book, under its name.
    """

    async def send(self, order: PayoutOrder) -> Outcome:
        """Send one order, once.

        Returns:
            What the channel said; `NO_ANSWER` when the order may have left and no usable answer
            came.

        Raises:
            RailUnavailable: the order provably never left, or the channel did not accept it.
        """
        ...

    async def inquire(self, order_no: str) -> Outcome:
        """Ask what became of an order.

        Returns:
            Its outcome; class NOT_FOUND when the channel does not know the number.

        Raises:
            RailUnavailable: no usable answer came; asking changes nothing, so ask again.
        """
        ...
