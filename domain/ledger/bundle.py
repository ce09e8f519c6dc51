"""What the items of an evidence bundle prove of the facts that are stated beside them.

Items are given as they were read from proven bytes, in order of number; facts as plain values.
Nothing of either is trusted: a fact of another shape agrees with nothing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from domain.ledger.proofs import NotProven

Row = Mapping[str, Any]


@dataclass(slots=True)
class BundleProof:
    """What proven items say about one loan, and whether stated facts agree with it.

    Attributes:
        loan: the id of the loan.
        items: how many items were taken. `about`: how many of them name the loan.
    """

    loan: str
    items: int = 0
    about: int = 0
    _states: dict[tuple[str, str], str] = field(default_factory=dict)
    _orders: dict[str, str] = field(default_factory=dict)
    _messages: set[str] = field(default_factory=set)
    _owed: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _payments: set[str] = field(default_factory=set)
    _lines: set[tuple[str, str]] = field(default_factory=set)
    _products: set[str] = field(default_factory=set)

    def take(self, item: Row) -> Row | None:
        """Take the next item; gives the decision that it is, where it is a command."""
        self.items += 1
        self._products.add(_text(item, "product"))
        what = item.get("what")
        if not isinstance(what, Mapping):
            raise NotProven(
                f"item {item.get('seq')}", "(not shown)", "a command, a move or an entry"
            )
        if "postings" in what:
            self._booked(what)
        elif "target" in what:
            self._moved(what)
        else:
            self.about += what.get("loan_id") == self.loan
            return _decision(item, what)
        return None

    def _moved(self, move: Row) -> None:
        self.about += move.get("loan_id") == self.loan
        target, order_no = _text(move, "target"), _text(move, "order_no")
        if order_no:
            if target.isupper():
                self._orders[order_no] = target
            return
        subject = move.get("subject")
        named = subject if isinstance(subject, Mapping) else {}
        kind, key = _text(named, "kind"), _text(named, "key")
        # States are written in capitals; those of an installment's messages are not.
        if target.isupper():
            self._states[kind, key] = target
        if _text(move, "event") == "reminder_queued":
            self._messages.add(_text(move, "detail").rpartition(" ")[2])

    def _booked(self, entry: Row) -> None:
        named = False
        for posting in _rows(entry.get("postings")):
            account, minor = _text(posting, "account"), posting.get("minor")
            number = posting.get("number")
            line, payment = _text(posting, "line"), _text(posting, "payment")
            if account.startswith(f"owed/{self.loan}/") and isinstance(minor, int):
                self._owed[str(number)] += minor
            named = named or posting.get("loan") == self.loan
            self._payments.add(payment)
            self._lines.add((line, payment))
        self.about += named

    def check(self, part: str, row: Row) -> None:
        """See that a stated fact agrees with the items.

        Raises:
            NotProven: it does not; names the part, the value and the rule.
        """
        match part:
            case "loan.json":
                self._loan(row)
            case "product.json":
                self._known(part, _text(row, "ref"), self._products, "the product of an item")
            case "attempts.jsonl":
                self._attempt(row)
            case "notices.jsonl":
                message = _text(row, "message_id")
                self._known(part, message, self._messages, "a message that an item queued")
            case "payments.jsonl":
                payment = _text(row, "payment")
                self._known(part, payment, self._payments, "a payment that an entry names")
            case "lines.jsonl":
                self._line(row)
            case "payouts.jsonl":
                self._state(part, "payout", _text(row, "payout"), _text(row, "state"))
            case "cases.jsonl":
                self._state(part, "case", _text(row, "case"), _text(row, "state"))
            case _:
                raise NotProven(part, "a row", "a part that is known")

    def _loan(self, row: Row) -> None:
        if row.get("loan") != self.loan:
            raise NotProven("loan.json loan", row.get("loan"), f"{self.loan}, as in the manifest")
        for item in _rows(row.get("installments")):
            number = item.get("number")
            self._state("loan.json", "installment", f"{self.loan}/{number}", _text(item, "state"))
            if item.get("owed_minor") != self._owed[str(number)]:
                rule = f"{self._owed[str(number)]}, as the entries add up"
                raise NotProven(f"loan.json owed of {number}", item.get("owed_minor"), rule)

    def _attempt(self, row: Row) -> None:
        order_no, state = _text(row, "order_no"), _text(row, "state")
        if row.get("brought_over") is not True and self._orders.get(order_no) != state:
            rule = f"{self._orders.get(order_no)}, as the last move says"
            raise NotProven(f"attempts.jsonl {order_no}", state, rule)

    def _line(self, row: Row) -> None:
        line = _text(row, "line")
        for match in _rows(row.get("proves")):
            pair = (line, _text(match, "payment"))
            self._known("lines.jsonl", pair, self._lines, "a line and a payment of one posting")

    def _state(self, part: str, kind: str, key: str, state: str) -> None:
        known = self._states.get((kind, key))
        if known != state:
            raise NotProven(f"{part} {key}", state, f"{known}, as the last move says")

    def _known(self, part: str, value: object, known: set[Any], rule: str) -> None:
        if value not in known:
            raise NotProven(part, value, rule)


def _decision(item: Row, what: Row) -> Row:
    """A command as the part of decisions has it."""
    at = item.get("at")
    return {
        "number": item.get("seq"),
        "command": _text(what, "kind"),
        "command_id": _text(item, "command_id"),
        "at": _instant(at) if isinstance(at, datetime) else "",
        "actor": f"{_text(item, 'actor_kind')}/{_text(item, 'actor_id')}",
        "approver": _text(what, "approver"),
        "reason": _text(item, "reason"),
        "refused_by": _text(what, "rule"),
    }


def _instant(at: datetime) -> str:
    plain = at.astimezone(UTC).replace(tzinfo=None)
    return plain.isoformat(timespec="microseconds") + "Z"


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return value if isinstance(value, str) else ""


def _rows(value: object) -> Iterator[Row]:
    """The mappings of a list."""
    if isinstance(value, list | tuple):
        yield from (one for one in value if isinstance(one, Mapping))
