"""Rates of everything that goes wrong, by profile, in parts per million.

Rates of first-attempt failure, share of insufficient funds and recovery by retry follow published
numbers (loans on UK direct debit 5.41 percent, one vendor's 71 percent recovery); the rest is ours.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Profile:
    """Rates in parts per million, spans in seconds or calls. Zero means never."""

    name: str
    # what becomes of an order
    decline: int = 20_000
    nsf_share: int = 800_000
    retry_recovery: int = 331_000  # of each try: 1 - (1 - 0.331)^3 = 70 percent over three
    pending: int = 0
    pending_max_s: int = 6 * 3600
    late: int = 0
    defective: int = 0
    partial: int = 0
    twice: int = 0
    returned: int = 0
    hidden: int = 0
    # what becomes of a call
    cut_before: int = 0
    cut_after: int = 0
    half: int = 0
    garbled: int = 0
    error_before: int = 0
    error_after: int = 0
    throttled: int = 0
    busy: int = 0
    masked: int = 0
    outage: int = 0
    outage_calls: int = 4
    faulty_calls: int = 6  # from the call after this one on, every call is answered properly
    # what becomes of a webhook
    hook_lost: int = 0
    hook_delayed: int = 0
    hook_delay_max_s: int = 1800
    hook_duplicate: int = 0
    hook_storm: int = 0
    hook_forged: int = 0
    hook_stale: int = 0
    hook_unknown: int = 0
    # statements
    same_day: int = 100_000
    batch: int = 150_000
    bare_return: int = 300_000
    fee_free: int = 200_000
    statement_late: int = 0
    statement_repeated: int = 0
    statement_shuffled: int = 0
    stranger: int = 0
    # notices
    notice_failed: int = 5_000
    notice_silent: int = 0
    # reports to the bureau
    bureau_lost: int = 0
    bureau_rejected: int = 0


QUIET = Profile("quiet")
"""What every profile becomes after POST /control/calm: people still lack funds, nothing breaks."""

CALM = Profile("calm", pending=3_000, returned=1_000)

ROUGH = Profile(
    "rough",
    decline=50_000,
    pending=10_000,
    late=2_000,
    defective=2_000,
    partial=4_000,
    twice=200,
    returned=6_000,
    hidden=2_000,
    cut_before=5_000,
    cut_after=5_000,
    half=1_000,
    garbled=500,
    error_before=5_000,
    error_after=2_000,
    throttled=5_000,
    busy=3_000,
    masked=3_000,
    outage=2_000,
    hook_lost=5_000,
    hook_delayed=30_000,
    hook_duplicate=10_000,
    hook_storm=200,
    hook_forged=2_000,
    hook_stale=2_000,
    hook_unknown=2_000,
    statement_late=20_000,
    statement_repeated=20_000,
    statement_shuffled=20_000,
    stranger=10_000,
    notice_failed=20_000,
    notice_silent=10_000,
    bureau_lost=20_000,
    bureau_rejected=20_000,
)

HOSTILE = Profile(
    "hostile",
    decline=150_000,
    nsf_share=800_000,
    pending=80_000,
    pending_max_s=30 * 3600,
    late=10_000,
    defective=10_000,
    partial=25_000,
    twice=5_000,
    returned=40_000,
    hidden=40_000,
    cut_before=40_000,
    cut_after=40_000,
    half=15_000,
    garbled=10_000,
    error_before=20_000,
    error_after=20_000,
    throttled=20_000,
    busy=15_000,
    masked=25_000,
    outage=15_000,
    hook_lost=80_000,
    hook_delayed=200_000,
    hook_delay_max_s=26 * 3600,
    hook_duplicate=80_000,
    hook_storm=2_000,
    hook_forged=40_000,
    hook_stale=30_000,
    hook_unknown=20_000,
    batch=250_000,
    statement_late=120_000,
    statement_repeated=100_000,
    statement_shuffled=200_000,
    stranger=60_000,
    notice_failed=80_000,
    notice_silent=80_000,
    bureau_lost=100_000,
    bureau_rejected=100_000,
)

PROFILES = {profile.name: profile for profile in (CALM, ROUGH, HOSTILE)}
