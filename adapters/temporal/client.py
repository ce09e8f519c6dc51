"""Makes Temporal clients, so that every program reads and writes histories alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from temporalio.client import Client, Interceptor
from temporalio.contrib.pydantic import pydantic_data_converter

from adapters.temporal.stamp import StampedStarts, StartStamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.trace import Tracer
    from temporalio.converter import DataConverter
    from temporalio.envconfig import ClientConnectConfig
    from temporalio.runtime import Runtime


async def make_client(
    address: str,
    namespace: str,
    *,
    tracer: Tracer | None = None,
    stamp: StartStamp | None = None,
) -> Client:
    """Connect, with the data converter of our histories.

    Args:
        address: `host:port`.
        namespace: of this installation alone.
        tracer: adds spans on starts, workflows and activities. `TracingInterceptor` writes them at
            once; a span that ends with a month-long workflow would be of no use.
        stamp: puts starts on the sandbox's clock; None in production.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        interceptors=_interceptors(tracer, stamp),
    )


async def connect(
    config: ClientConnectConfig,
    *,
    tracer: Tracer | None = None,
    stamp: StartStamp | None = None,
    runtime: Runtime | None = None,
    data_converter: DataConverter = pydantic_data_converter,
) -> Client:
    """Connect by Temporal's own client configuration (`TEMPORAL_*` variables or its file).

    Args:
        config: see `temporalio.envconfig`.
        tracer: see `make_client`.
        stamp: see `make_client`.
        runtime: of this process, where its logs and metrics go; the SDK's own by default.
        data_converter: how histories are written; in clear by default.
    """
    return await Client.connect(
        **config,
        data_converter=data_converter,
        interceptors=_interceptors(tracer, stamp),
        runtime=runtime,
    )


def _interceptors(tracer: Tracer | None, stamp: StartStamp | None) -> Sequence[Interceptor]:
    interceptors: list[Interceptor] = []
    if tracer is not None:
        from temporalio.contrib.opentelemetry import TracingInterceptor  # noqa: PLC0415  (slow)

        interceptors.append(TracingInterceptor(tracer))
    if stamp is not None:
        interceptors.append(StampedStarts(stamp))
    return interceptors
