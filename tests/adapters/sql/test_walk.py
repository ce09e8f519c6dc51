"""One installment through the real decisions and real databases, from boarding to closure."""

from collections.abc import Sequence
from datetime import date

from adapters.sql.read.queries import SqlQueries
from adapters.sql.write.books import SqlBooks
from domain.kernel.change import Applied
from domain.ledger.flow import flows
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind, installment
from domain.story.events import StoryEvent
from tests.support.booksbench import StillClock, confirm, intend, line, order_of, roll
from tests.support.memory import board
from tests.support.stories import names, story


async def test_an_installment_goes_from_boarding_to_a_proven_portion(
    books: SqlBooks, queries: SqlQueries, clock: StillClock
) -> None:
    """What the driver sees after each step is what the books hold, and the journal adds up."""
    boarded = await books.apply(board())
    assert isinstance(boarded, Applied)
    clock.to(date(2026, 3, 10))
    await books.apply(roll("L1", date(2026, 3, 10)))
    view = await queries.view(installment("L1", 1))
    assert view is not None
    assert view.labels.amount_minor == 10100
    action = view.next_action
    assert action is not None
    assert action.kind is ActionKind.PRESENT
    result = await intend(books, "L1", 1, action.key)
    order_no = order_of(result)
    paid = await books.apply(confirm(order_no, 10100))
    assert isinstance(paid, Applied)
    assert paid.view is not None
    assert paid.view.labels.amount_minor == 0
    clock.to(date(2026, 3, 11))
    proven = await books.apply(line(order_no, 10100, day=date(2026, 3, 10)))
    assert isinstance(proven, Applied)
    clock.to(date(2026, 3, 16))
    await books.apply(roll("L1", date(2026, 3, 16)))
    loan = await queries.loan("L1")
    assert loan is not None
    assert loan.installment(1).state is State.CLOSED
    assert (await queries.counts())["installments"] == {"CLOSED": 1, "SCHEDULED": 2}
    report = await queries.verify()
    assert report.faults == ()
    assert {b.account: b.minor for b in (await queries.balances("bank/")).items} == {
        "bank/ACCT-FUNDER-1-CNY": 10100
    }
    told = await story(queries, "L1", 1)
    reported = names(told)
    assert reported[0] == "boarded"
    assert reported[-1] == "evidence_complete"
    # Causes before effects: what became of the order, the money, the state; a new order at the end.
    assert _effects(told, "record_outcome") == ["attempt", "confirmed", "paid_in_full"]
    assert _effects(told, "intend_debit") == ["debit_intended", "attempt"]
    trail = (await queries.trail(loan.portions[0].id)).items
    assert {posting.event for posting in trail} >= {"confirmed", "settled"}
    (flow,) = flows(trail)
    account = "bank/ACCT-FUNDER-1-CNY"
    assert flow.accounts == ("clearing/simbank", account)
    assert [stay.account for stay in flow.open] == [account, "held_by/funder-1"]
    assert sum(part.minor for part in flow.paid) == sum(stay.minor for stay in flow.open) // 2
    # An order number leads to the same money, and so does the bank line that proves it.
    assert (await queries.trail(order_no)).items == trail
    proof = next(posting.line for posting in trail if posting.line is not None)
    assert {item.event for item in (await queries.trail(proof)).items} == {"settled"}
    assert (await queries.trail("nobody")).items == ()
    assert [posting async for posting in queries.journal()][-1].seq <= report.items


def _effects(told: Sequence[StoryEvent], command: str) -> list[str]:
    """What the commands of a kind did, in the order of the story."""
    return names(event for event in told if event.command == command)
