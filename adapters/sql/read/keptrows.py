"""Compares one loan or bank line, as read back, with its rows, its moves and its postings."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row

from adapters.sql import readrows, rows
from adapters.sql.read.recountpayouts import taken_of
from adapters.sql.write.workset import Held
from domain.case.case import CASE, Case
from domain.case.search import case_words
from domain.kernel.canonical import digest
from domain.ledger import accounts
from domain.ledger.accounts import REPORTED
from domain.ledger.chain import Verification
from domain.loan.aggregate import Installment, LineState, Loan
from domain.loan.payables import Key, key_of, payable_items, receivable_items
from domain.loan.placing import Item, Position, lying
from domain.loan.sharing import held
from domain.loan.view import INSTALLMENT
from domain.payment.payment import Payment
from domain.payment.portion import Portion, ShareFate
from domain.payout.payout import Payout
from domain.pricing.amounts import Amounts, Component

_GIVEN = ("owed", "forgiven", "written_off", "subrogated")
"""Families of accounts that hold an installment's charges and what reduced them."""
_LYING = (*REPORTED, "suspense", "advance", "payable", "held_by", "receivable")
"""Families of accounts that hold the items of a payment."""
_HELD = ("held_by", "receivable")
"""Families of accounts with what a party holds, and what it owes others of that."""


@dataclass(slots=True)
class Sums:
    """Sums of postings, debit positive, minor units.

    `parts`: by family of accounts, installment, component, and whether a payment is named.
    `payments`: by payment, family, and whether no bank line is named. `places`: by payment, item
    and place. `accounts`: by account.
    """

    parts: defaultdict[tuple[str, int, str, bool], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    payments: defaultdict[tuple[str, str, bool], int] = field(
        default_factory=lambda: defaultdict(int)
    )
    places: defaultdict[str, defaultdict[Position, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    accounts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def take(self, row: Row[Any]) -> None:
        """Add one sum of a loan's postings."""
        family, minor = row.account.partition("/")[0], int(row.minor)
        if row.number is not None and row.component is not None:
            self.parts[family, row.number, row.component, row.payment is not None] += minor
        if row.payment is not None:
            self.payments[row.payment, family, bool(row.own)] += minor
        if row.payment is not None and family in _LYING:
            item = Item(row.account)
            if row.component is not None:
                item = Item(row.account, row.number, Component(row.component), row.party)
            self.places[row.payment][Position(item, row.place)] += minor

    def amounts(
        self, family: str, number: int, *, paid: tuple[bool, ...] = (False, True)
    ) -> Amounts:
        """What a family of accounts holds of an installment, by component."""
        return Amounts(
            *(
                sum(self.parts.get((family, number, part.value, named), 0) for named in paid)
                for part in Component
            )
        )

    def payment(self, payment: str, *of: str, own: tuple[bool, ...] = (False, True)) -> int:
        """What families of accounts hold of a payment."""
        held = (self.payments.get((payment, family, alone), 0) for family in of for alone in own)
        return sum(held)


@dataclass(slots=True)
class LoanRows:
    """Everything that is kept about one loan beside its bodies, and what the journal says of it."""

    loan: Row[Any] | None = None
    installments: dict[int, Row[Any]] = field(default_factory=dict)
    attempts: dict[tuple[int, int], Row[Any]] = field(default_factory=dict)
    notices: dict[str, Row[Any]] = field(default_factory=dict)
    portions: dict[str, Row[Any]] = field(default_factory=dict)
    items: dict[Key, tuple[int, int]] = field(default_factory=dict)
    """What parties are due, and what of it is taken by payouts, by item and place."""
    owed: dict[Key, int] = field(default_factory=dict)
    """What parties have to give back, by item and place."""
    paid: list[tuple[Payout, Key, int]] = field(default_factory=list)
    """Items of payouts."""
    states: dict[int, str] = field(default_factory=dict)
    fates: dict[str, str] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)


def compare_loan(held: Held, kept: LoanRows, found: Verification) -> int:
    """Put every difference of a loan into `found`; the number of rows that were compared."""
    loan = held.loan
    name = f"loan {loan.id}"
    expected = rows.loan_row(loan, held.content, held.revision, None)
    _columns(name, kept.loan, expected, found, without={"next_roll_on", "body"})
    numbers = {item.number for item in loan.installments}
    for number in sorted({*kept.states, *(key[1] for key in kept.sums.parts)} - numbers):
        found.fault(f"installment {number} of {name} has moves or postings and is not kept")
    if sorted(numbers) != list(range(1, len(loan.installments) + 1)):
        found.fault(f"{name} keeps installments {sorted(numbers)}, which are not 1, 2, 3 ...")
        return 1
    for item in loan.installments:
        _compare_installment(loan, item, kept, found)
    orders = {attempt.order_no for _, attempt in loan.attempts()}
    for order_no in sorted(kept.fates.keys() - orders):
        found.fault(f"order {order_no} of {name} has moves and is not kept")
    _compare_children(loan, kept, found)
    for portion in loan.portions:
        _compare_portion(loan, portion, kept.sums, found)
    _compare_items(loan, kept, found)
    children = len(kept.attempts) + len(kept.notices) + len(kept.portions) + len(kept.items)
    return 1 + len(kept.installments) + children


def compare_payment(
    payment: Payment,
    kept: Row[Any],
    sums: Mapping[bool, int],
    loans: Collection[str],
    found: Verification,
) -> int:
    """Put every difference of a payment into `found`; it is one row.

    `sums`: what its postings on clearing accounts come to, by whether they name no bank line.
    `loans`: those in which a portion of it is kept.
    """
    name = f"payment {payment.id}"
    _columns(name, kept, rows.payment_row(payment), found, without={"body"})
    pairs = {
        "not taken back": (payment.amount_minor - payment.returned_minor, sums.get(True, 0)),
        "proven": (payment.settled_minor - payment.return_settled_minor, -sums.get(False, 0)),
    }
    for what, (mine, posted) in pairs.items():
        if mine != posted:
            found.fault(f"{name} is kept with {mine} {what}, its postings say {posted}")
    if set(payment.loans) != set(loans):
        found.fault(f"{name} is kept for loans {payment.loans}, portions lie in {sorted(loans)}")
    return 1


def compare_line(line: LineState, kept: Row[Any], sums: Sums, found: Verification) -> int:
    """Put every difference of a bank line into `found`; it is one row."""
    name = f"line {line.id}"
    _columns(name, kept, rows.line_row(line), found, without={"body"})
    bank = sums.accounts.get(accounts.bank(line.account), 0)
    if line.amount_minor != bank:
        found.fault(f"{name} is kept as {line.amount_minor}, its postings sum to {bank}")
    waits = -sums.accounts.get(accounts.suspense_line(line.id), 0)
    if line.open_minor != waits:
        found.fault(f"{name} is kept with {line.open_minor} open, its postings say {waits}")
    return 1


def compare_case(case: Case, kept: Row[Any], state: str, found: Verification) -> int:
    """Put every difference of a case into `found`; `state`: where its moves end. It is two rows."""
    name = f"case {case.key}"
    if case.state.value != state:
        found.fault(f"{name} is kept as {case.state.value}, its moves end at {state or 'nothing'}")
    columns = {
        "key": case.key,
        "state": case.state.value,
        "generation": case.generation,
        "version": case.version,
        "is_final": not case.is_open,
        "amount_minor": case.amount_minor,
        "opened": case.driver.opened,
    }
    looked_up = rows.case_row(case, None)
    looked_up.pop("late_from")
    columns |= {f"of_{column}": value for column, value in looked_up.items()}
    _columns(name, kept, columns, found)
    try:
        view = readrows.read_view(CASE, kept.view)
    except ValidationError:
        found.fault(f"the view of {name} cannot be read back")
        return 2
    shown = (view.state, view.version, view.labels.amount_minor, view.labels.code)
    if shown != (case.state, case.version, case.amount_minor, case.kind):
        found.fault(f"the view of {name} shows {view.state} and {view.labels.amount_minor}")
    return 2


def compare_finding(
    case: Case, links: Collection[tuple[str, str]], words: Collection[str], found: Verification
) -> int:
    """See that a case is found by all that it points to and by every word of its text and notes.

    More may be kept, of what it said before.
    """
    if lacking := {(link.to.value, link.name) for link in case.links} - set(links):
        found.fault(f"case {case.key} is not found by {len(lacking)} of its links")
    if lacking_words := case_words(case) - set(words):
        found.fault(f"case {case.key} is not found by {len(lacking_words)} of its words")
    return len(links) + len(words)


def compare_items(case: Case, held: Sequence[int], found: Verification) -> int:
    """Compare how many items a case says it has, open and in all, with how many are kept."""
    says = [case.items, case.items_ever]
    if says != list(held):
        found.fault(f"case {case.key} has {says} items, open and in all; kept are {list(held)}")
    return held[1]


def _compare_installment(
    loan: Loan, item: Installment, kept: LoanRows, found: Verification
) -> None:
    name = f"installment {item.number} of loan {loan.id}"
    row, sums = kept.installments[item.number], kept.sums
    state = kept.states.get(item.number, "")
    if item.state.value != state:
        found.fault(f"{name} is kept as {item.state.value}, its moves end at {state or 'nothing'}")
    columns = {
        "state": item.state.value,
        "due_on": item.due_on,
        "generation": item.generation,
        "version": item.version,
        "opened": item.driver.opened,
        "notified_of": item.driver.mark,
        "asleep_until": item.driver.until,
    }
    _columns(name, row, columns, found)
    _view(name, item, row, found)
    given = {family: sums.amounts(family, item.number) for family in _GIVEN}
    alone = {family: sums.amounts(family, item.number, paid=(False,)) for family in _GIVEN}
    charged = alone["owed"] + given["forgiven"] + alone["written_off"] + alone["subrogated"]
    pairs: Mapping[str, tuple[Amounts, Amounts]] = {
        "owed": (item.owed, given["owed"]),
        "forgiven": (item.forgiven, given["forgiven"]),
        "written off": (item.written_off, given["written_off"]),
        "subrogated": (item.subrogated, given["subrogated"]),
        "charged": (item.charged, charged),
    }
    for what, (mine, posted) in pairs.items():
        if mine != posted:
            text = f"{dict(mine.items())}, its postings say {dict(posted.items())}"
            found.fault(f"{name} is kept with {what} {text}")


def _view(name: str, item: Installment, row: Row[Any], found: Verification) -> None:
    """The stored view shows what lists of installments print."""
    try:
        view = readrows.read_view(INSTALLMENT, row.view)
    except ValidationError:
        found.fault(f"the view of {name} cannot be read back")
        return
    shown = (
        view.labels.number,
        view.state,
        view.labels.amount_minor,
        view.version,
        view.generation,
    )
    owed = item.owed if item.fell_due else item.scheduled
    mine = (item.number, item.state, owed.total, item.version, item.generation)
    if shown != mine:
        found.fault(f"the view of {name} shows {view.state} and {view.labels.amount_minor} owed")


def _compare_children(loan: Loan, kept: LoanRows, found: Verification) -> None:
    attempts = {
        (item.number, attempt.number): rows.attempt_row(loan.id, item.number, attempt)
        for item, attempt in loan.attempts()
    }
    _same_keys(f"attempts of loan {loan.id}", kept.attempts, attempts, found)
    for key, expected in attempts.items():
        name = f"order {expected['order_no']} of loan {loan.id}"
        _columns(name, kept.attempts.get(key), expected, found)
        fate = kept.fates.get(expected["order_no"], "")
        if expected["state"] != fate:
            text = f"is kept as {expected['state']}, its moves end at {fate or 'nothing'}"
            found.fault(f"{name} {text}")
    notices = {
        notice.message_id: rows.notice_row(loan.id, item.number, notice)
        for item in loan.installments
        for notice in item.notices
    }
    _same_keys(f"messages of loan {loan.id}", kept.notices, notices, found)
    for message_id, expected in notices.items():
        _columns(f"message {message_id}", kept.notices.get(message_id), expected, found)
    for position, portion in enumerate(loan.portions):
        expected = rows.portion_row(loan.id, position, portion)
        name = f"payment {portion.id} of loan {loan.id}"
        _columns(name, kept.portions.get(portion.id), expected, found, without={"body"})


def _compare_items(loan: Loan, kept: LoanRows, found: Verification) -> None:
    due: dict[Key, int] = {}
    owed: dict[Key, int] = {}
    learnt: set[tuple[str, Key]] = set()
    for portion in loan.portions:
        due |= payable_items(loan, portion)
        owed |= receivable_items(loan, portion)
        learnt |= {
            (move.ref, key_of(loan, portion, move.item))
            for move in portion.moves
            if move.fate is ShareFate.REMITTED
        }
    taken = taken_of(kept.paid, learnt, found)
    kept_due = {key: minor for key, (minor, _) in kept.items.items()}
    kept_taken = {key: minor for key, (_, minor) in kept.items.items()}
    for what, mine, said in (
        ("payable item", kept_due, due),
        ("taken of payable item", kept_taken, taken),
        ("receivable item", kept.owed, owed),
    ):
        for key in sorted(mine.keys() | said.keys()):
            if mine.get(key, 0) != said.get(key, 0):
                name = "/".join(str(part) for part in key)
                by = "its payouts say" if mine is kept_taken else "its portion says"
                text = f"is kept with {mine.get(key, 0)}, {by} {said.get(key, 0)}"
                found.fault(f"{what} {name} {text}")


def _compare_portion(loan: Loan, portion: Portion, sums: Sums, found: Verification) -> None:
    name = f"payment {portion.id} of loan {loan.id}"
    proven = portion.settled_minor - portion.return_settled_minor
    theirs = sum(held(loan, portion).values()) - sum(receivable_items(loan, portion).values())
    theirs -= portion.owed_back_minor
    pairs = {
        "not taken back": (portion.net_minor, sums.payment(portion.id, *REPORTED, own=(True,))),
        "proven": (proven, -sums.payment(portion.id, *REPORTED, own=(False,))),
        "waiting": (portion.suspense_minor, -sums.payment(portion.id, "suspense")),
        "paid ahead": (portion.advance_minor, -sums.payment(portion.id, "advance")),
        "held by its parties": (theirs, -sums.payment(portion.id, *_HELD)),
    }
    for what, (mine, posted) in pairs.items():
        if mine != posted:
            found.fault(f"{name} is kept with {mine} {what}, its postings say {posted}")
    lies, says = lying(loan, portion), sums.places[portion.id]
    for position in lies | says:
        minor, posted = lies.get(position, 0), says.get(position, 0)
        if minor != posted:
            where = f"{position.item.account} at {position.place}"
            found.fault(f"{name} is kept with {minor} of {where}, its postings say {posted}")


def compare_product(row: Row[Any], found: Verification) -> int:
    """Put a product that is not what its digest says into `found`; it is one row."""
    try:
        same = digest(readrows.read_product(row.body)) == row.digest
    except ValidationError:
        same = False
    if not same:
        found.fault(f"product {row.ref} is not what its digest says")
    return 1


def _columns(
    name: str,
    kept: Row[Any] | None,
    expected: Mapping[str, object],
    found: Verification,
    *,
    without: Iterable[str] = (),
) -> None:
    """Compare the columns of a row with what its body says."""
    if kept is None:
        found.fault(f"{name} is not kept")
        return
    held = kept._mapping  # noqa: SLF001  (the public way to a row's columns by name)
    for column in expected.keys() - set(without):
        if held[column] != expected[column]:
            text = f"column {column} is {held[column]}, its body says {expected[column]}"
            found.fault(f"{name}: {text}")


def _same_keys(
    name: str, kept: Mapping[Any, object], expected: Mapping[Any, object], found: Verification
) -> None:
    """Rows that no body knows; those that a body knows and no row keeps are found by column."""
    for key in kept.keys() - expected.keys():
        found.fault(f"{name}: row {key} belongs to nothing")
