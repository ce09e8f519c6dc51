"""Keys of the cases about payouts."""


def in_doubt(order_no: str) -> str:
    """Nobody knows what became of a payout, or two sources say different things of it."""
    return f"payout_in_doubt/{order_no}"


def failed(payee: str, currency: str, account: str) -> str:
    """Payouts to a payee from an account fail: one case, whatever payout failed last."""
    return f"payout_failed/{payee}/{currency}/{account}"


def returned(payee: str, currency: str, account: str) -> str:
    """Payouts to a payee from an account come back: one case, whatever payout came last."""
    return f"remittance_returned/{payee}/{currency}/{account}"


def shortage(currency: str, account: str) -> str:
    """An account holds less than what is due to the payees whose money lies there."""
    return f"shortage/{currency}/{account}"


SHORTFALL = "shortfall/"
"""Begins the keys of cases about what was not remitted."""


def shortfall(party: str, currency: str, account: str) -> str:
    """What a party was due at a cut-off was not remitted."""
    return f"{SHORTFALL}{party}/{currency}/{account}"


def refund_shortage(order_no: str) -> str:
    """The account of a refund holds less than what is due to others there."""
    return f"shortage/{order_no}"


def overdue(order_no: str) -> str:
    """A refund has not left in time."""
    return f"refund_overdue/{order_no}"


def unreachable(order_no: str) -> str:
    """A refund did not reach its payer: it failed, or came back."""
    return f"refund_unreachable/{order_no}"


def line(order_no: str, line_id: str) -> str:
    """A bank line names a payout and does not fit it."""
    return f"payout_line/{order_no}/{line_id}"
