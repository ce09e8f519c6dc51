"""`acquit mandate` shows one mandate, and takes the orders about it."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from adapters.sql.write.books import SqlBooks
from cli.mandate import VERBS
from cli.order import read_typed
from cli.tree import run
from domain.debit.mandate import Mandate
from domain.loan.mandates import MANDATE_ORDERS
from tests.support.booksbench import StillClock
from tests.support.memory import RULES, board
from workers.settings import Settings

SHARED = Mandate("M-1", "simbank", "merchant-1", "acct-secret", date(2026, 1, 1))
WHO: dict[str, Any] = {
    "id": "o-1",
    "actor": {"kind": "operator", "id": "ops-7"},
    "approver": None,
    "reason": "asked",
}
BY = ("--actor", "ops-7", "--reason", "revoked in writing")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home with two loans under one mandate."""
    url = Settings(home=tmp_path).books_url()

    async def made() -> None:
        await upgrade(url)
        engine = books_engine(url)
        async with SqlBooks(engine, StillClock(), RULES) as books:
            for loan in ("L1", "L2"):
                await books.apply(board(loan, mandate=SHARED))
        await engine.dispose()

    asyncio.run(made())
    return tmp_path


def said(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and all output of `acquit mandate`."""
    capsys.readouterr()
    code = run(["--home", str(home), "mandate", *words])
    shown = capsys.readouterr()
    return code, shown.out + shown.err


def test_a_mandate_is_shown_ended_and_replaced(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """State, term, loans and story; the token of the account stays in the books."""
    code, text = said(home, capsys, "M-1")
    assert code == 0
    assert "M-1: ACTIVE, simbank, from 2026-01-01 to no set day" in text
    assert "loans: L1, L2" in text
    new = ("replace", "M-1", "loan=L2", "ref=M-2", "account_token=acct-2", "cap_minor=50000")
    code, text = said(home, capsys, *new, "valid_from=2026-01-01", *BY)
    assert (code, text.startswith("L2 is under M-2; M-1 (order cli-")) == (0, True)
    code, text = said(home, capsys, "end", "M-1", "ended_on=2026-03-10", *BY)
    assert (code, text.startswith("ended for 1 loans; M-1")) == (0, True)
    code, text = said(home, capsys, "M-1", "--json")
    shown = json.loads(text)
    assert (shown["state"], shown["ended_on"], shown["loans"]) == ("ENDED", "2026-03-10", ["L1"])
    effects = [effect for event in shown["story"] for effect in event["effects"]]
    assert [effect["event"] for effect in effects] == [
        "mandate_registered",
        "mandate_joined",
        "mandate_left",
        "mandate_ended",
    ]
    assert "acct-" not in text
    assert json.loads(said(home, capsys, "M-2", "--json")[1])["cap_minor"] == 50000


def test_what_is_not_allowed_or_not_said_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By rule with exit code 1; a word that is missing or wrong by its name with 2."""
    code, text = said(home, capsys, "end", "M-9", "ended_on=2026-03-10", *BY)
    assert (code, "refused by mandate.unknown: no mandate M-9" in text) == (1, True)
    for words, field in (
        (("M-9",), "mandate"),
        (("finish", "M-1"), "VERB"),
        (("end",), "KEY"),
        (("sign", "L1", "L2"), "LOAN"),
        (("sign", "L1"), "home"),
        (("end", "M-1", "ended_on=2026-03-10", "--reason", "x"), "actor"),
        (("end", "M-1", "ended_on=2026-03-10", "--actor", "x"), "reason"),
    ):
        code, text = said(home, capsys, *words)
        assert (code, text.split(":")[1].strip()) == (2, field), (words, text)


def test_the_help_names_every_order_on_a_mandate(capsys: pytest.CaptureFixture[str]) -> None:
    """The help has a row for each with its terms; optional ones are in brackets."""
    run(["mandate", "--help"])
    rows = " ".join(capsys.readouterr().out.split()).partition("Kinds and their terms:")[2]
    assert set(VERBS.values()) == set(MANDATE_ORDERS)
    for verb, kind in VERBS.items():
        order = MANDATE_ORDERS[kind]
        row = rows.partition(f" {verb} {order.description()} ")[2]
        found = re.findall(r"\[?(\w+)\]?(?:, |$| )", row)
        assert tuple(found[: len(order.terms())]) == order.terms()


@pytest.mark.parametrize("kind", MANDATE_ORDERS)
def test_every_term_of_an_order_on_a_mandate_can_be_typed(kind: str) -> None:
    """Whole numbers as digits, those that may be left out too."""
    order = MANDATE_ORDERS[kind]
    hints = get_type_hints(order)
    samples = {int: "7", date: "2026-03-10", str: "x"}
    typed = {
        name: next(text for of, text in samples.items() if of in {hints[name], *_args(hints[name])})
        for name in order.terms()
    }
    terms = [f"{name}={text}" for name, text in typed.items()]
    read = read_typed(kind, terms, WHO, MANDATE_ORDERS, {"mandate": "M-1"})
    assert {name: str(getattr(read, name)) for name in typed} == typed
    assert (read.mandate, read.id) == ("M-1", "cli/M-1/o-1")
    assert replace(read, reason="other").identity() == read.identity()


def _args(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__args__", ())
