"""Random histories of several loans, a bank and its people; a judge that reads postings alone.

`python -m tests.attack --help` runs more of them and prints what it finds as a test to be pasted.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.attack.findings import Finding
from tests.attack.histories import History, script, shrunk

CHUNKS, SHORT, LYING = 5, 340, 60
"""Chunks of honest and of lying histories in `make test`: 1,700 and 300 in all."""
SLOW_CHUNK = 2_500
AVOIDED = frozenset({"inside"})
"""Not drawn: a fee that the line of a return holds without saying so. As money it may be of another
execution or return of the order, and which is taken follows from what is known (record 0049)."""
CASES = json.loads(Path(__file__).with_name("cases.json").read_text())


def _case(case: dict[str, Any]) -> Any:
    open_fault = case["open"]
    marks = [pytest.mark.xfail(strict=True, reason=open_fault)] if open_fault else []
    return pytest.param(case, id=case["name"], marks=marks)


def _is_known(history: History, found: Finding) -> bool:
    """Whether a return of one of two executions was reported under no name that is known of either.

    It is booked of the surplus; the person at the end, whose line names the other, takes that back.
    """
    fates = {values.get("fate") for _, values in history.steps}
    refs = {values.get("ref") for name, values in history.steps if name == "give_back"}
    return found.rule == "bank.order" and "twice" in fates and bool(refs & {"none", "strange"})


def _findings(seeds: range, *, lies: bool) -> Iterator[tuple[int, History, Finding]]:
    """Run histories; those that break a rule."""
    for seed in seeds:
        history = History.drawn(seed, lies=lies, avoid=AVOIDED)
        found = history.finding()
        if found is not None and not _is_known(history, found):
            yield seed, history, found


def _attack(seeds: range, *, lies: bool) -> None:
    """Run histories; the first finding is shrunk and shown."""
    for seed, history, found in _findings(seeds, lies=lies):
        _fail(seed, history, found)


def _fail(seed: int, history: History, found: Finding) -> NoReturn:
    text = script(shrunk(history, found.rule), found.rule)
    pytest.fail(f"seed {seed}, {found}\n\n{text}", pytrace=False)


@pytest.mark.parametrize("case", [_case(case) for case in CASES])
def test_what_was_found_once_is_found_no_more(case: dict[str, Any]) -> None:
    """A history that once broke a rule breaks none."""
    found = History.read(case).finding()
    assert found is None, f"{case['about']} {found}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_honest_history_breaks_a_rule(chunk: int) -> None:
    """No rule of money is broken in any order of news, but for what is AVOIDED."""
    _attack(range(chunk * SHORT, (chunk + 1) * SHORT), lies=False)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_lie_of_a_rail_breaks_a_rule(chunk: int) -> None:
    """Lies of rails and banks cost nobody money, but for what is AVOIDED."""
    _attack(range(10_000 + chunk * LYING, 10_000 + (chunk + 1) * LYING), lies=True)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_no_history_of_many_breaks_a_rule(histories: int) -> None:
    """The same over many more histories, a fifth of them with rails that lie."""
    for start in range(0, histories, SLOW_CHUNK):
        honest = range(20_000 + start, 20_000 + start + SLOW_CHUNK * 4 // 5)
        lying = range(9_000_000 + start, 9_000_000 + start + SLOW_CHUNK // 5)
        _attack(honest, lies=False)
        _attack(lying, lies=True)
