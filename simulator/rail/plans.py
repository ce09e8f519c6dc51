"""What the bank will do with an order: decided when it is accepted, from seed and order number."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.codes import DECLINES
from simulator.dice import between, chance, pick
from simulator.profiles import Profile


@dataclass(frozen=True, slots=True)
class Plan:
    """The fate of one order; amounts in minor units, spans in milliseconds."""

    code: str
    executed_minor: int
    pending_ms: int
    pending_code: str
    hidden_ms: int
    again_ms: int
    """Zero, or how long after the first execution the bank executes once more on its own."""

    @property
    def succeeds(self) -> bool:
        """Say whether money will be taken."""
        return self.executed_minor > 0


def plan_order(profile: Profile, seed: int, order_no: str, amount: int, nsf_before: int) -> Plan:
    """Return the fate of an order.

    `nsf_before` counts the orders of the mandate that failed for insufficient funds since its
    last success: while it is above zero, the rate of recovery applies instead of the first rate.
    """
    code = _code(profile, seed, order_no, nsf_before)
    executed = amount if code in {"00", "A6", "42"} else 0
    if code == "00" and amount > 1 and chance(profile.partial, seed, order_no, "partial"):
        executed = between(1, amount - 1, seed, order_no, "part")
    pending = 0
    if code == "42" or chance(profile.pending, seed, order_no, "pending"):
        pending = 1000 * between(120, profile.pending_max_s, seed, order_no, "pending for")
    hidden = 0
    if chance(profile.hidden, seed, order_no, "hidden"):
        hidden = 1000 * between(30, 600, seed, order_no, "hidden for")
    again = 0
    if executed and chance(profile.twice, seed, order_no, "twice"):
        again = 1000 * between(60, 5400, seed, order_no, "again after")
    waiting = (("05", 40), ("83", 30), ("03", 15), ("04", 15))
    return Plan(code, executed, pending, pick(waiting, seed, order_no, "wait"), hidden, again)


def _code(profile: Profile, seed: int, order_no: str, nsf_before: int) -> str:
    if nsf_before:
        recovers = chance(profile.retry_recovery, seed, order_no, "recovery")
        if not recovers:
            return pick((("64", 4), ("90", 1)), seed, order_no, "which funds")
    elif chance(profile.decline, seed, order_no, "decline"):
        if chance(profile.nsf_share, seed, order_no, "funds"):
            return pick((("64", 4), ("90", 1)), seed, order_no, "which funds")
        return pick(DECLINES, seed, order_no, "reason")
    if chance(profile.late, seed, order_no, "late"):
        return "42"
    return "A6" if chance(profile.defective, seed, order_no, "defect") else "00"
