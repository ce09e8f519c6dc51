"""What a rail or a bank says of an order that is not so, and what truly became of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.debit.attempt import DebitOrder
from domain.statement.statement import LineItem
from tests.attack.truth import Named, morning

if TYPE_CHECKING:
    from tests.attack.driven import Driven

from tests.attack.fates import (
    ABSENT,
    HONEST,
    LITTLE,
    PENDING,
    SHORT,
    Fate,
    accepted,
    execute,
    say,
    send_later,
)


def _partial_more(attack: "Driven", order: DebitOrder) -> None:
    """A part is reported, and the bank has the whole."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    reported = min(LITTLE, order.amount_minor)
    attack.bank.pending += [
        attack.bank.success(index, "webhook", reported),
        attack.bank.credit(index),
    ]


def _partial_then_all(attack: "Driven", order: DebitOrder) -> None:
    """A part is reported, then the whole, of one booking."""
    _partial_more(attack, order)
    index = len(attack.bank.executions) - 1
    attack.bank.pending.append(attack.bank.success(index, "webhook"))


def _absent(attack: "Driven", order: DebitOrder) -> None:
    """Accepted; from then on the rail says that it does not know the order, and takes the money."""
    attack.bank.says[order.order_no] = ABSENT
    say(attack, order, PENDING)
    index = execute(attack, order)
    attack.bank.pending.append(attack.bank.credit(index))


def _declined_after(attack: "Driven", order: DebitOrder) -> None:
    """Taken and reported, and then said to be refused."""
    accepted(attack, order)
    send_later(attack, order, SHORT)


def _more(attack: "Driven", order: DebitOrder) -> None:
    """More than ordered is taken, reported and booked."""
    index = execute(attack, order, order.amount_minor + 5000)
    say(attack, order, PENDING)
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def _negative(attack: "Driven", order: DebitOrder) -> None:
    """The rail says that less than nothing was taken; the line tells the truth."""
    index = execute(attack, order)
    attack.deliver(attack.bank.success(index, "answer", -LITTLE))
    attack.bank.pending.append(attack.bank.credit(index))


def _future(attack: "Driven", order: DebitOrder) -> None:
    """The rail says that the money was taken at a day that is a month ahead."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.disagrees = True
    done = attack.bank.executions[index]
    done.on += timedelta(days=30)
    news = replace(attack.bank.success(index, "webhook"), not_before=attack.books.at)
    done.on -= timedelta(days=30)
    attack.bank.pending += [news, attack.bank.credit(index)]


def _late_future(attack: "Driven", order: DebitOrder) -> None:
    """Refused; then said to be taken, at a day that is a month ahead."""
    say(attack, order, SHORT)
    index = execute(attack, order)
    attack.bank.disagrees = True
    done = attack.bank.executions[index]
    done.on += timedelta(days=30)
    news = replace(attack.bank.success(index, "webhook"), not_before=attack.books.at)
    done.on -= timedelta(days=30)
    attack.bank.pending += [news, attack.bank.credit(index)]


def _bad_items(attack: "Driven", order: DebitOrder) -> None:
    """A line of 1.00 whose item says the whole amount; the sound line comes the next day."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.disagrees = True
    done = attack.bank.executions[index]
    item = LineItem(done.order_no, None, done.ref, done.minor)
    false = attack.bank.line((item,), (), (), done.on, minor=100)
    sound = replace(attack.bank.credit(index), not_before=morning(done.on + timedelta(days=2)))
    attack.bank.pending += [false, attack.bank.success(index, "webhook"), sound]


def _foreign(attack: "Driven", order: DebitOrder) -> None:
    """The line of the money is in another currency."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    done = attack.bank.executions[index]
    item = LineItem(done.order_no, None, done.ref, done.minor)
    truth = (Named(done.loan, done.number, done.order_no, "", done.minor),)
    line = attack.bank.line((item,), truth, (), done.on, currency="EUR")
    attack.bank.pending += [attack.bank.success(index, "webhook"), line]


LIES: Mapping[str, Fate] = {
    "partial_more": _partial_more,
    "partial_then_all": _partial_then_all,
    "absent": _absent,
    "declined_after": _declined_after,
    "more": _more,
    "negative": _negative,
    "future": _future,
    "late_future": _late_future,
    "bad_items": _bad_items,
    "foreign": _foreign,
}
"""A rail or a bank says what is not so."""
FATES: Mapping[str, Fate] = {**HONEST, **LIES}
