"""What a rail does with an order: the truth of it at the bank, and the news that follows."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from domain.debit.attempt import DebitOrder
from domain.debit.outcome import Outcome, OutcomeClass
from domain.statement.statement import LineItem
from tests.attack.setup import OTHER_ACCOUNT
from tests.attack.truth import DRIVER, TAKEN, Fact, Named, News
from tests.support.doors import RecordUnsent

if TYPE_CHECKING:
    from tests.attack.driven import Driven

Fate = Callable[["Driven", DebitOrder], None]
PENDING = Outcome(OutcomeClass.PENDING, "P")
SHORT = Outcome(OutcomeClass.NSF, "AM04")
HARD = Outcome(OutcomeClass.ACCOUNT, "AC04")
ABSENT = Outcome(OutcomeClass.NOT_FOUND, "NF")
LITTLE = 4000


def say(attack: "Driven", order: DebitOrder, outcome: Outcome) -> None:
    """The rail answers at once."""
    command = attack.bank.outcome(order.order_no, outcome, "answer")
    attack.deliver(News(command, (), attack.books.at, is_final=outcome is not PENDING))


def send_later(attack: "Driven", order: DebitOrder, outcome: Outcome) -> None:
    """The rail sends a webhook, which waits for its delivery."""
    command = attack.bank.outcome(order.order_no, outcome, "webhook")
    attack.bank.pending.append(News(command, (), attack.books.at, is_final=True))


def execute(attack: "Driven", order: DebitOrder, minor: int | None = None) -> int:
    whole = order.amount_minor if minor is None else minor
    return attack.bank.execute(order, whole, attack.books.at)


def _taken(attack: "Driven", order: DebitOrder) -> None:
    """Success is the answer where the day has come; a webhook and the line follow."""
    index = execute(attack, order)
    news = attack.bank.success(index, "answer")
    if news.not_before <= attack.books.at:
        attack.deliver(news)
    else:
        say(attack, order, PENDING)
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def accepted(attack: "Driven", order: DebitOrder) -> None:
    """Accepted; success comes by webhook, then the line."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def _silent(attack: "Driven", order: DebitOrder) -> None:
    """No answer comes although the money is taken."""
    index = execute(attack, order)
    attack.deliver(News(attack.bank.no_answer(order.order_no), (), attack.books.at))
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def _line_only(attack: "Driven", order: DebitOrder) -> None:
    """Accepted, and only the line tells that the money was taken."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.says[order.order_no] = PENDING
    attack.bank.pending.append(attack.bank.credit(index))


def _short(attack: "Driven", order: DebitOrder) -> None:
    """Refused at once: not enough money."""
    attack.bank.says[order.order_no] = SHORT
    say(attack, order, SHORT)


def _short_later(attack: "Driven", order: DebitOrder) -> None:
    """Accepted, and refused by webhook."""
    attack.bank.says[order.order_no] = SHORT
    say(attack, order, PENDING)
    send_later(attack, order, SHORT)


def _hard(attack: "Driven", order: DebitOrder) -> None:
    """Refused for good: the account is closed."""
    attack.bank.says[order.order_no] = HARD
    say(attack, order, HARD)


def _lost(attack: "Driven", order: DebitOrder) -> None:
    """The order never arrived, and nobody knows."""
    attack.bank.says[order.order_no] = ABSENT
    attack.deliver(News(attack.bank.no_answer(order.order_no), (), attack.books.at))


def _unsent(attack: "Driven", order: DebitOrder) -> None:
    """The order provably never left."""
    attack.bank.says[order.order_no] = ABSENT
    item = attack.books.item(order.number, order.loan_id)
    sends = next(a.sends for a in item.attempts if a.order_no == order.order_no)
    command = RecordUnsent(
        id=attack.bank.name("u"),
        actor=DRIVER,
        reason="no connection",
        order_no=order.order_no,
        sends=sends,
    )
    attack.deliver(News(command, (), attack.books.at))


def _partial(attack: "Driven", order: DebitOrder) -> None:
    """A part is taken and reported."""
    index = execute(attack, order, min(LITTLE, order.amount_minor))
    say(attack, order, PENDING)
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def _twice(attack: "Driven", order: DebitOrder) -> None:
    """Executed two times under two references, both reported and both booked."""
    _taken(attack, order)
    index = execute(attack, order)
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def _late(attack: "Driven", order: DebitOrder) -> None:
    """Refused at first, and taken all the same."""
    say(attack, order, SHORT)
    index = execute(attack, order)
    attack.bank.pending += [attack.bank.success(index, "webhook"), attack.bank.credit(index)]


def _late_line(attack: "Driven", order: DebitOrder) -> None:
    """Refused, and a line shows that it was taken."""
    say(attack, order, SHORT)
    attack.bank.says[order.order_no] = SHORT
    attack.bank.pending.append(attack.bank.credit(execute(attack, order)))


def _fee(attack: "Driven", order: DebitOrder) -> None:
    """The bank keeps 1.00 of the money in its line."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.pending += [
        attack.bank.success(index, "webhook"),
        attack.bank.credit(index, fee=100),
    ]


def _fee_of_line(attack: "Driven", order: DebitOrder) -> None:
    """The bank keeps 1.00 of the line as a whole."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.pending += [
        attack.bank.success(index, "webhook"),
        attack.bank.credit(index, charges_minor=100),
    ]


def _elsewhere(attack: "Driven", order: DebitOrder) -> None:
    """The money is booked on an account that is not the funder's."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    attack.bank.pending += [
        attack.bank.success(index, "webhook"),
        attack.bank.credit(index, account=OTHER_ACCOUNT),
    ]


def _batch(attack: "Driven", order: DebitOrder) -> None:
    """Taken in a batch, which is booked in one amount without items."""
    index = execute(attack, order)
    say(attack, order, replace(PENDING, batch_ref=attack.bank.batch_ref))
    attack.bank.pending.append(attack.bank.success(index, "webhook"))
    attack.bank.batch.append(index)


def _batch_unnamed(attack: "Driven", order: DebitOrder) -> None:
    """Taken in a batch that only the webhook names."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    news = attack.bank.success(index, "webhook", batch=attack.bank.batch_ref)
    attack.bank.pending.append(news)
    attack.bank.batch.append(index)


def _net(attack: "Driven", order: DebitOrder) -> None:
    """Taken and given back on one day, in one line of two items that nets to zero."""
    index = execute(attack, order)
    say(attack, order, PENDING)
    done = attack.bank.executions[index]
    back = attack.bank.give_back(index, done.minor, done.on)
    items = (
        LineItem(done.order_no, None, done.ref, done.minor),
        LineItem(done.order_no, None, done.ref, -done.minor, 0, "AM04"),
    )
    truth = tuple(
        Named(done.loan, done.number, done.order_no, "", item.amount_minor, booking=done.ref)
        for item in items
    )
    facts = (Fact(TAKEN, index, done.minor), Fact("back", back, done.minor))
    attack.bank.pending.append(attack.bank.line(items, truth, facts, done.on))


HONEST: Mapping[str, Fate] = {
    "taken": _taken,
    "accepted": accepted,
    "silent": _silent,
    "line_only": _line_only,
    "short": _short,
    "short_later": _short_later,
    "hard": _hard,
    "lost": _lost,
    "unsent": _unsent,
    "partial": _partial,
    "twice": _twice,
    "late": _late,
    "late_line": _late_line,
    "fee": _fee,
    "fee_of_line": _fee_of_line,
    "elsewhere": _elsewhere,
    "batch": _batch,
    "batch_unnamed": _batch_unnamed,
    "net": _net,
}
"""Every piece of news agrees with the bank's truth."""
