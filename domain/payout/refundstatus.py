"""What a payer is told of a refund: one word for each state of its payout."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.payout.lifecycle import PayoutState
from domain.payout.payout import Payout, Refund
from domain.payout.view import RefundDetail, RefundStatus

_S, _R = PayoutState, RefundStatus
STATUS: Mapping[PayoutState, RefundStatus] = MappingProxyType(
    {
        _S.REQUESTED: _R.REQUESTED,
        _S.APPROVED: _R.PREPARED,
        _S.INSTRUCTED: _R.SENT,
        _S.IN_DOUBT: _R.SENT,
        _S.PAID: _R.SENT,
        _S.PROVEN: _R.PAID,
        _S.CLOSED: _R.PAID,
        _S.FAILED: _R.UNREACHABLE,
        _S.RETURNED: _R.UNREACHABLE,
        _S.REVERSED: _R.UNREACHABLE,
        _S.REFUSED: _R.WITHDRAWN,
        _S.CANCELLED: _R.WITHDRAWN,
    }
)
"""The status of every state; a test compares the two."""


def refund_detail(payout: Payout, refund: Refund) -> RefundDetail:
    """What the view of a payout says of the refund that it is."""
    return RefundDetail(refund.payment, STATUS[payout.state], refund.due_on, refund.twins)
