"""Reads what is open for payees and what they owe: implements `ports.payoutqueries`."""

from datetime import date

from sqlalchemy import ColumnElement, and_, exists, func, literal, select, true

from adapters.sql.read.reader import SqlReader
from adapters.sql.readrows import read_payout
from adapters.sql.schema.tables import (
    cases,
    payable_items,
    payments,
    payouts,
    portions,
    receivable_items,
)
from adapters.sql.write.taking import OPEN
from domain.case.kinds import CaseKind
from domain.ledger import accounts
from domain.loan.payables import BANK
from domain.payout.casekeys import SHORTFALL
from domain.payout.lifecycle import LIVE
from domain.payout.payout import Payout
from ports.payoutqueries import Refundable, Remittable

_C, _M, _N = cases.c, payments.c, portions.c
_LIVE = tuple(sorted(state.value for state in LIVE))
_I, _O, _R = payable_items.c, payouts.c, receivable_items.c
_AT_BANK = func.substr(_I.place, 1, len(BANK)) == literal(BANK)


class SqlPayoutQueries(SqlReader):
    """Gives sums over open items; each is a part of an index."""

    async def remittable(self, parties: tuple[str, ...]) -> tuple[Remittable, ...]:
        """See the port."""
        return await self._open_of(_I.party.in_(parties))

    async def unremitted(self) -> tuple[Remittable, ...]:
        """See the port."""
        found = await self._open_of(true())
        known = {(one.party, one.currency, one.account) for one in found}
        open_cases = select(_C.key, _C.opened_at).where(
            _C.kind == CaseKind.REMITTANCE_SHORTFALL.value, _C.closed_at.is_(None)
        )
        settled = []
        for row in await self._rows(open_cases.order_by(_C.key)):
            party, currency, account = row.key.removeprefix(SHORTFALL).split("/", 2)
            if (party, currency, account) not in known:
                day = row.opened_at.date()
                settled.append(Remittable(party, currency, account, 0, 0, day))
        return (*found, *settled)

    async def _open_of(self, whose: ColumnElement[bool]) -> tuple[Remittable, ...]:
        """What is open and proven of some parties, in order of party, currency and account."""
        key = (_I.party, _I.currency, _I.place)
        found = (
            select(
                *key,
                func.count().label("items"),
                func.sum(_I.minor - _I.taken_minor).label("minor"),
                func.min(_I.since).label("oldest_on"),
            )
            .where(whose, _AT_BANK, OPEN)
            .group_by(*key)
            .order_by(*key)
        )
        rows = await self._rows(found)
        return tuple(
            Remittable(
                row.party,
                row.currency,
                row.place.removeprefix(BANK),
                int(row.items),
                int(row.minor),
                row.oldest_on,
            )
            for row in rows
        )

    async def refundable(self, after: str, limit: int) -> tuple[Refundable, ...]:
        """See the port."""
        mine = select(func.count()).where(_O.payment == _M.id)
        live = exists().where(_O.payment == _M.id, _O.state.in_(_LIVE))
        waits = exists().where(_N.id == _M.id, _N.waiting_minor > 0)
        found = (
            select(_M.id, _M.value_on, mine.scalar_subquery().label("requests"))
            .where(
                _M.id > after,
                _M.settled_minor == _M.amount_minor,
                _M.returned_minor == _M.return_settled_minor,
                waits,
                ~live,
            )
            .order_by(_M.id)
            .limit(limit)
        )
        rows = await self._rows(found)
        return tuple(Refundable(row.id, row.value_on, int(row.requests)) for row in rows)

    async def refunds(self, payment: str, after: str, limit: int) -> tuple[Payout, ...]:
        """See the port."""
        mine = _O.payment == payment if payment else _O.payment.is_not(None)
        found = select(_O.body).where(mine, _O.key > after).order_by(_O.key).limit(limit)
        return tuple(read_payout(row.body) for row in await self._rows(found))

    async def requests_of(
        self, party: str, currency: str, account: str, cut_off_on: date
    ) -> tuple[str, ...]:
        """See the port."""
        mine = and_(
            _O.account == account,
            _O.currency == currency,
            _O.payee == party,
            _O.cut_off_on == cut_off_on,
        )
        rows = await self._rows(select(_O.state).where(mine).order_by(_O.number))
        return tuple(row.state for row in rows)

    async def owing(self) -> tuple[tuple[str, str, str], ...]:
        """See the port."""
        key = (_R.party, _R.currency, _R.place)
        rows = await self._rows(select(*key).distinct().order_by(*key))
        return tuple((row.party, row.currency, row.place.removeprefix(BANK)) for row in rows)

    async def loans_to_set_off(
        self, party: str, currency: str, account: str, limit: int
    ) -> tuple[str, ...]:
        """See the port."""
        place = accounts.bank(account)
        owed = select(_R.loan_id).where(
            _R.place == place, _R.currency == currency, _R.party == party
        )
        due = select(_I.loan_id).where(
            _I.place == place, _I.currency == currency, _I.party == party, OPEN
        )
        found: dict[str, None] = {}
        half = max(1, limit // 2)
        for statement, most in ((owed, half), (due, limit)):
            ordered = statement.distinct().order_by(statement.selected_columns.loan_id)
            for row in await self._rows(ordered.limit(limit)):
                if len(found) < most:
                    found[row.loan_id] = None
        return tuple(found)
