"""The identity of anything that has states: an installment, a case, a payout, a mandate."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What a view, a driver, a message and a move are about: its kind and its key in that kind.

    `kind` is pinned and names a row of `domain.registry.KINDS`; `key` is unique in its kind and
    holds no control characters. Together they name its row, its driver and its stream of messages.
    """

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.key}"
