"""Signing mandates at the simulated bank, as lenders do before they hand their loans over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from domain.errors import Unavailable
from ports.rail import RailUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.loan.aggregate import Loan
    from domain.loan.boarding import BoardLoan
    from ports.rail import Rail

TRIES = 20
AT_ONCE = 10
_LONGEST_PAUSE_S = 2.0


async def sign_mandates(rails: Mapping[str, Rail], loans: Sequence[BoardLoan | Loan]) -> None:
    """Lodge the mandate of every loan with its rail; signing one again changes nothing.

    Raises:
        Unavailable: a rail cannot be reached here, or takes no mandate after `TRIES` tries.
    """
    away = sorted({loan.product.rail for loan in loans} - set(rails))
    if away:
        said = f"rail {', '.join(away)} cannot be reached here"
        raise Unavailable(f"{said}; a stack that has ended is started with `acquit up`")
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(loan: BoardLoan | Loan) -> None:
        async with gate:
            await _sign(rails[loan.product.rail], loan)

    await asyncio.gather(*(one(loan) for loan in loans))


async def _sign(rail: Rail, loan: BoardLoan | Loan) -> None:
    for left in reversed(range(TRIES)):
        try:
            await rail.put_mandate(loan.mandate, loan.currency)
        except RailUnavailable as busy:
            if not left:
                raise Unavailable(f"the rail does not take mandate {loan.mandate.ref}") from busy
            await asyncio.sleep(min(busy.retry_after_s or 0.2, _LONGEST_PAUSE_S))
        else:
            return
