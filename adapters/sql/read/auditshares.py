"""Statements that answer the audit's questions about shares of parties at closing.

What the postings of an installment leave due to a party is less what proven payouts paid of it:
their items stand for a posting of the payout.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy import Select, and_, func, literal, or_, select, union_all

from adapters.sql.read.auditgates import CLOSING, GATE, GATE_KEY, INSTALLMENT_KEY, gate
from adapters.sql.read.auditsums import ITEMS, P, of
from adapters.sql.schema.tables import entries, payout_items, payouts, transitions
from domain.audit.questions import Question
from domain.loan.lifecycle import State
from domain.payout.lifecycle import PayoutEvent
from domain.payout.payout import PAYOUT

_PO, _PI = payouts.c, payout_items.c
_proved = transitions.alias("proved")
_paid_out = (
    select(
        _PI.loan_id.label("loan"),
        _PI.number,
        _PI.component,
        literal("payable/").concat(_PO.payee).label("account"),
        _PI.minor,
        _PO.currency,
        _proved.c.seq,
        _proved.c.command_id,
    )
    .join(payouts, _PO.key == _PI.payout)
    .join(
        _proved,
        and_(
            _proved.c.loan_id == "",
            _proved.c.subject_kind == PAYOUT,
            _proved.c.subject_key == _PO.key,
            _proved.c.event == PayoutEvent.PROVEN.value,
        ),
    )
)
_credited = (
    select(
        P.loan,
        P.number,
        P.component,
        P.account,
        P.minor,
        P.currency,
        entries.c.seq,
        entries.c.command_id,
    )
    .join(entries, entries.c.seq == P.seq)
    .where(of("payable"), P.loan.is_not(None))
)
_share = union_all(_credited, _paid_out).subquery("share")
_SHARE = (_share.c.component, _share.c.account)
_LEFT = func.sum(_share.c.minor)
_GATE_SHARE = (
    select(*GATE, *_SHARE, _LEFT.label("minor"), _share.c.currency)
    .select_from(gate)
    .join(_share, and_(_share.c.loan == gate.c.loan_id, _share.c.number == gate.c.number))
    .where(
        CLOSING,
        or_(_share.c.seq < gate.c.seq, _share.c.command_id == gate.c.command_id),
    )
    .group_by(*GATE_KEY, *_SHARE, _share.c.currency)
    .having(_LEFT < 0)
)
_CLOSED_SHARE = (
    select(*INSTALLMENT_KEY, *_SHARE, _LEFT.label("minor"), _share.c.currency)
    .select_from(ITEMS)
    .join(_share, and_(_share.c.loan == ITEMS.c.loan_id, _share.c.number == ITEMS.c.number))
    .where(ITEMS.c.state == State.CLOSED.value)
    .group_by(ITEMS.c.loan_id, ITEMS.c.number, ITEMS.c.state, *_SHARE, _share.c.currency)
    .having(_LEFT < 0)
)

SHARES: Mapping[Question, Select[Any]] = MappingProxyType(
    {Question.GATE_SHARE: _GATE_SHARE, Question.CLOSED_SHARE: _CLOSED_SHARE}
)
