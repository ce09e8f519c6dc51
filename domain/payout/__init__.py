"""Money that goes out: remittances of collected shares to their payees."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from domain.kernel.command import Command
from domain.payout import decide, outcomes, requesting
from domain.payout.commands import (
    RecordPayoutOutcome,
    RecordPayoutUnsent,
    RecordShortfall,
    RequestPayout,
)

HANDLERS: Mapping[type[Command], Callable[[Any, Any], Any]] = MappingProxyType(
    {
        **decide.HANDLERS,
        RequestPayout: requesting.request_payout,
        RecordShortfall: requesting.record_shortfall,
        RecordPayoutOutcome: outcomes.record_outcome,
        RecordPayoutUnsent: outcomes.record_unsent,
    }
)
"""The function that decides each command on a payout."""
