"""Debits of 101.00 whose news do not agree: the scene, and a person who matches lines."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.debit.outcome import OutcomeClass
from domain.kernel.change import Refusal
from domain.ledger import accounts
from domain.loan.change import Change
from tests.support.doors import MatchLine
from tests.support.memory import PRODUCT, schedule
from tests.support.scene import ACCOUNT, Scene

BANK = accounts.bank(ACCOUNT)
PLAIN = replace(PRODUCT, penalty=None)
LINES = schedule(((10100, 0), (10100, 0), (10100, 0)))
HELD = {BANK: 10100, "held_by/funder-1": -10100}
OWED = {"owed/1/principal": 10100, "claim/funder-1": -10100}


def scene() -> Scene:
    """Three installments of 101.00, without penalty."""
    return Scene.boarded(lines=LINES, product=PLAIN)


def rule(answer: Change | Refusal) -> str:
    """The rule of a refusal, or nothing."""
    return answer.rule if isinstance(answer, Refusal) else ""


def match(s: Scene, line: str, ref: str, minor: int, fee: int = 0) -> str:
    """A person matches a line; the rule of the refusal, or nothing."""
    terms: dict[str, Any] = {
        "line": line,
        "reference": ref,
        "amount_minor": minor,
        "fee_minor": fee,
    }
    return rule(s.order(MatchLine, **terms))


def last_line(s: Scene) -> str:
    """The id of the newest line."""
    return next(reversed(s.books.lines))


def asked_late(s: Scene, order: str) -> None:
    """The rail says after its query window that it does not know the order."""
    s.books.at += s.books.rules.rails["simbank"].query_window + timedelta(minutes=5)
    s.apply_outcome(order, OutcomeClass.NOT_FOUND, source="inquiry")
