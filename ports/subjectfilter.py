"""Which subjects a list holds."""

from dataclasses import dataclass, fields
from datetime import datetime

from domain.errors import InvalidInput
from domain.loan.view import INSTALLMENT
from domain.money import exponent
from domain.registry import KINDS
from domain.text import is_plain

_TEXT_MOST = 320
_AMOUNT_MOST = 10**15


@dataclass(frozen=True, slots=True)
class SubjectFilter:
    """What narrows a list of subjects of one kind; all of it together, what is empty does not.

    Attributes:
        states: one of these.
        borrower: the opaque reference of the loan; of installments alone, as is `product`.
        product: a product with its version, such as `plain@2`.
        owed_least, owed_most: minor units of `currency`, which must be given with them.
        action: the kind of the next action. `action_by`: it is due at or before this instant.
        since_before: in its state at least since this instant.
        needs_operator: whether a person is waited for.
    """

    kind: str = INSTALLMENT
    states: tuple[str, ...] = ()
    loan_id: str = ""
    borrower: str = ""
    product: str = ""
    currency: str = ""
    owed_least: int | None = None
    owed_most: int | None = None
    action: str = ""
    action_by: datetime | None = None
    since_before: datetime | None = None
    rail: str = ""
    owner: str = ""
    needs_operator: bool | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            raise InvalidInput("kind", self.kind, f"one of {', '.join(KINDS)}")
        for state in self.states:
            if state not in set(kind.states):
                raise InvalidInput("state", state, f"one of {', '.join(kind.states)}")
        if self.action and self.action not in kind.actions:
            raise InvalidInput("action", self.action, f"one of {', '.join(sorted(kind.actions))}")
        for name in (item.name for item in fields(self)):
            value = getattr(self, name)
            if isinstance(value, str) and (len(value) > _TEXT_MOST or not is_plain(value)):
                rule = f"at most {_TEXT_MOST} characters, none of them a control character"
                raise InvalidInput(name, value[:40], rule)
            if isinstance(value, datetime) and value.tzinfo is None:
                raise InvalidInput(name, value.isoformat(), "an instant with its offset")
        self._check_amounts()

    def _check_amounts(self) -> None:
        if self.currency:
            exponent(self.currency)
        for name in ("owed_least", "owed_most"):
            value = getattr(self, name)
            if value is None:
                continue
            if not self.currency:
                raise InvalidInput("currency", "", f"given with {name}")
            if not 0 <= value <= _AMOUNT_MOST:
                raise InvalidInput(name, value, f"0 to {_AMOUNT_MOST} minor units")
        least, most = self.owed_least, self.owed_most
        if least is not None and most is not None and least > most:
            raise InvalidInput("owed_most", most, f"not below owed_least, {least}")
