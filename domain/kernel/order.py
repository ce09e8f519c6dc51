"""Operators' orders: what one may contain, how it comes in, and what a story calls it.

The class of an order is its only definition. The first line of its docstring describes it, its
fields are its terms, and its wire form is the command without the fields that the receiver sets.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, ClassVar, Self

from domain.kernel.canonical import bounded
from domain.kernel.change import Refusal
from domain.kernel.command import Actor, Command
from domain.text import is_plain

AMOUNT_MOST = 10**15
"""Largest amount in an order, in minor units. The books decide what is plausible for a subject."""
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)
OURS = frozenset({"driver", "rail", "system", "workflow"})
"""Kinds of actors that only our own programs use; an order from outside may not name one."""
_ID_MOST = 120
_KIND_MOST = 40
_REASON_MOST = 1000
_LIST_MOST = 50
_COMMON = frozenset({"kind", "id", "actor", "reason", "approver"})


@dataclass(frozen=True, kw_only=True)
class OperatorOrder(Command):
    """Base of what an operator, or a system upstream, can order; it always says why.

    `subject` names the fields that say what it is about: whoever receives an order knows them.
    `story` is what a story calls it. `approver` is who agreed to it, if anybody did.
    """

    # No slots of its own, since an order has a second base that has some; each order has them.
    __slots__ = ()

    subject: ClassVar[tuple[str, ...]] = ()
    story: ClassVar[str] = ""

    reason: str
    approver: str | None = None

    @classmethod
    def pinned(cls) -> str:
        """Its pinned kind."""
        return next(str(item.default) for item in fields(cls) if item.name == "kind")

    @classmethod
    def description(cls) -> str:
        """What it does: the first line of its docstring."""
        return (cls.__doc__ or "").partition("\n")[0]

    @classmethod
    def set_by_receiver(cls) -> frozenset[str]:
        """The fields that its wire form does not have."""
        return frozenset(cls.subject)

    @classmethod
    def terms(cls) -> tuple[str, ...]:
        """The fields that it has besides those of every order."""
        apart = _COMMON | cls.set_by_receiver()
        return tuple(item.name for item in fields(cls) if item.name not in apart)

    def least(self, _term: str, /) -> int:
        """The smallest whole number that a term may hold."""
        return 1

    def misshapen(self) -> Iterator[tuple[str, str]]:
        """Yield (field, rule) for what is wrong in shape. What is allowed, the books decide."""
        apart = self.set_by_receiver()
        for name in (item.name for item in fields(self) if item.name not in apart):
            if rule := self._broken(name, getattr(self, name)):
                yield name, rule

    def received(self, door: str) -> Self:
        """The command of the books for this order as it was sent.

        Its id is made of the door, the subject and the sender's own id: the same order through the
        same door is the same command, and no sender can use up the id of another one. White space
        around a text, such as the CR of a pasted list, is taken off.
        """
        held = {item.name: getattr(self, item.name) for item in fields(self)}
        texts: dict[str, Any] = {name: text for name, text in held.items() if type(text) is str}
        cut = {name: text.strip() for name, text in texts.items()}
        about = (str(held[name]) for name in self.subject)
        cut["id"] = bounded("/".join((door, *about, cut["id"])))
        return replace(self, **cut)

    def _broken(self, name: str, value: object) -> str:
        """The rule that a value breaks; empty when it breaks none."""
        match value:
            case Actor(kind, who):
                return _actor_rule(kind, who)
            case str():
                return _text_rule(value, _REASON_MOST if name == "reason" else _ID_MOST)
            case int():
                if value < (least := self.least(name)):
                    return "more than zero" if least else "not below zero"
                return "" if value <= AMOUNT_MOST else f"at most {AMOUNT_MOST} minor units"
            case tuple():
                return self._broken_list(value)
            case date() if not FIRST_DAY <= value <= LAST_DAY:
                return f"a day from {FIRST_DAY} to {LAST_DAY}"
        return ""

    def _broken_list(self, values: tuple[Any, ...]) -> str:
        """The rule that a list, or an item of it, breaks; its items are dataclasses."""
        if len(values) > _LIST_MOST:
            return f"at most {_LIST_MOST} items"
        for place, item in enumerate(values, start=1):
            for part in fields(item):
                if rule := self._broken(part.name, getattr(item, part.name)):
                    return f"{part.name} of item {place}: {rule}"
        return ""


def refusal_of_form(order: OperatorOrder) -> Refusal | None:
    """Why an order is refused whatever it is about: it gives no reason, or approves itself."""
    if not order.reason.strip():
        return Refusal("order.reason", "an order says why")
    if order.approver is not None and is_same_person(order.approver, order.actor.id):
        return Refusal("order.approver", "nobody approves an order of their own")
    return None


def refusal_without_approver(order: OperatorOrder, why: str) -> Refusal | None:
    """Why an order that two people must agree to is refused: nobody has approved it."""
    if (order.approver or "").strip():
        return None
    return Refusal("order.approver", f"{why}: a second person must agree")


def is_same_person(one: str, other: str) -> bool:
    """Whether two ids mean one person: white space, case and form of letters make no other."""
    return _person(one) == _person(other)


def _person(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _actor_rule(kind: str, who: str) -> str:
    if _text_rule(kind, _KIND_MOST) or _text_rule(who, _ID_MOST):
        return f"kind ({_KIND_MOST}) and id ({_ID_MOST}) are given, no control characters"
    return f"a kind of your own, none of {', '.join(sorted(OURS))}" if kind in OURS else ""


def _text_rule(value: str, most: int) -> str:
    """What a text must be if it, without the white space around it, is not so."""
    text = value.strip()
    if 0 < len(text) <= most and is_plain(text):
        return ""
    return f"1 to {most} characters, none of them a control character"
