"""Puts every start of a sandbox on the sandbox's clock. Production does not use it.

A workflow's clock begins at the wall clock of the server. A sandbox whose now is ahead of the wall
moves each start ahead by as much: the start is delayed, in the workflow's own time, and its time is
skipped forward to the sandbox's now.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.client import Interceptor, OutboundInterceptor, StartWorkflowInput, WorkflowHandle


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a start is given: a delay, and how far its clock is to be skipped ahead at once."""

    start_delay: timedelta | None
    fast_forward: timedelta | None


class StartStamp(Protocol):
    """Stamps one start."""

    def __call__(self, start_delay: timedelta | None) -> Stamp:
        """The stamp of a start that wants to begin `start_delay` after the sandbox's now."""
        ...


class StampedStarts(Interceptor):
    """Client interceptor that stamps every start, signal-with-start included."""

    def __init__(self, stamp: StartStamp) -> None:
        self._stamp = stamp

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002
        """Put the stamp before the next interceptor."""
        return _Stamped(next, self._stamp)


class _Stamped(OutboundInterceptor):
    def __init__(self, inner: OutboundInterceptor, stamp: StartStamp) -> None:
        super().__init__(inner)
        self._stamp = stamp

    async def start_workflow(
        self,
        input: StartWorkflowInput,  # noqa: A002 - the SDK's own name
    ) -> WorkflowHandle[Any, Any]:
        stamp = self._stamp(input.start_delay)
        input.start_delay = stamp.start_delay
        if stamp.fast_forward is not None and stamp.fast_forward > timedelta(0):
            config = TimeSkippingConfig(enabled=True)
            config.fast_forward_config.id = str(uuid.uuid4())
            config.fast_forward_config.duration.FromTimedelta(stamp.fast_forward)
            input.time_skipping_config = config
        return await super().start_workflow(input)


def ahead_by(offset: timedelta, start_delay: timedelta | None) -> Stamp:
    """The stamp for a sandbox that is `offset` ahead of the wall.

    The delay grows by the offset, because the workflow counts it from the wall; its clock is
    skipped to the sandbox's now and no further, and moves on with every later advance.
    """
    if offset <= timedelta(0):
        return Stamp(start_delay, None)
    return Stamp((start_delay or timedelta(0)) + offset, offset)
