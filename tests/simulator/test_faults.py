"""Faults: pure functions of seed, key and call number, and they end."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.dice import PPM, chance, draw, pick
from simulator.faults import BEFORE, Fault, call_fault
from simulator.profiles import CALM, HOSTILE, QUIET, ROUGH, Profile
from simulator.rail.plans import plan_order
from tests.simulator.conftest import Starter
from tests.simulator.driver import API, CUTS, MERCHANT, RAIL


@pytest.mark.parametrize("profile", [CALM, ROUGH, HOSTILE])
def test_every_fault_of_a_call_ends(profile: Profile) -> None:
    """From the seventh call on a key nothing fails, whatever the profile and the key."""
    late = {
        call_fault(profile, 1, f"POST {RAIL}/o-{n}", call) for n in range(3000) for call in (7, 20)
    }
    assert late == {Fault.NONE}


def test_a_fault_depends_on_seed_key_and_call_alone() -> None:
    """Asked in any order and any number of times, a call has the same fault."""
    keys = [(f"POST {RAIL}/o-{n}", call) for n in range(200) for call in range(1, 7)]
    once = {key: call_fault(HOSTILE, 5, *key) for key in keys}
    again = {key: call_fault(HOSTILE, 5, *key) for key in reversed(keys)}
    other = {key: call_fault(HOSTILE, 6, *key) for key in keys}
    assert once == again
    assert once != other


def test_a_hostile_bank_knows_every_fault_and_a_calm_one_none() -> None:
    """Hostile fails in each of the ways; eight percent of first calls are cut; calm never fails."""
    first = Counter(call_fault(HOSTILE, 1, f"POST {RAIL}/o-{n}", 1) for n in range(20_000))
    assert set(first) == set(Fault)
    cut = first[Fault.CUT_BEFORE] + first[Fault.CUT_AFTER]
    assert 0.07 < cut / 20_000 < 0.09
    assert {call_fault(CALM, 1, f"POST {RAIL}/o-{n}", 1) for n in range(2000)} == {Fault.NONE}


def test_an_outage_takes_so_many_calls_in_a_row() -> None:
    """A key under outage fails on its first two to four calls, then answers."""
    only = Profile("outage", outage=PPM)
    for n in range(200):
        faults = [call_fault(only, 1, f"k{n}", call) is Fault.ERROR_BEFORE for call in range(1, 8)]
        assert faults[:2] == [True, True]
        assert 2 <= sum(faults) <= 4
        assert faults == sorted(faults, reverse=True)


def test_rates_of_failure_are_those_of_the_profile() -> None:
    """Rough: 5 percent of first attempts fail, 80 percent of these for lack of funds."""
    plans = [plan_order(ROUGH, 1, f"o-{n}", 1000, 0) for n in range(20_000)]
    failed = [plan.code for plan in plans if not plan.succeeds]
    assert 0.045 < len(failed) / 20_000 < 0.055
    assert 0.76 < sum(code in {"64", "90"} for code in failed) / len(failed) < 0.84
    assert all(0 < plan.executed_minor <= 1000 for plan in plans if plan.succeeds)


def test_a_quiet_plan_has_no_fault() -> None:
    """After calm an order succeeds whole or is declined, at once and once."""
    for n in range(3000):
        plan = plan_order(QUIET, 1, f"o-{n}", 1000, 0)
        assert plan.executed_minor in {0, 1000}
        assert (plan.pending_ms, plan.hidden_ms, plan.again_ms) == (0, 0, 0)


def test_draws_are_pinned() -> None:
    """A release that changes a draw changes every recorded run: these figures are a promise."""
    assert draw(1, "o-1", "decline") == 16715414255072551664
    assert not chance(0, 1, "k")
    assert chance(PPM, 1, "k")
    assert {pick((("a", 1), ("b", 1)), 1, n) for n in range(20)} == {"a", "b"}


async def test_a_cut_call_tells_nothing_and_the_order_number_tells_all(start: Starter) -> None:
    """Cuts come before and after the work; a repeat of the same number is safe in both cases."""
    bank = await start(profile="hostile", seed=3)
    await bank.to_hour(10)
    faults = {
        n: call_fault(HOSTILE, 3, f"POST {RAIL}/o-{n}", 1)
        for n in range(400)
        if not chance(HOSTILE.outage, 3, f"POST {RAIL}/o-{n}", "outage")
    }
    for kind in (Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.HALF):
        n = next(n for n, fault in faults.items() if fault is kind)
        await bank.sign_up(f"md-{n}")
        with pytest.raises(CUTS):
            await bank.call("POST", f"{API}/orders", bank.order(f"o-{n}", f"md-{n}"))
        known = [row["order_no"] for row in (await bank.truth())["orders"]]
        assert (f"o-{n}" in known) is (kind not in BEFORE)
        await bank.debit(f"o-{n}", f"md-{n}")
        (order,) = [r for r in (await bank.truth())["orders"] if r["order_no"] == f"o-{n}"]
        assert order["merchant_id"] == MERCHANT
        assert len(order["executions"]) <= 1
