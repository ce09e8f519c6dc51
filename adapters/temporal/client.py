"""One way to make a client, so that every program reads and writes histories alike."""

from collections.abc import Sequence

from temporalio.client import Client, Interceptor
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConnectConfig

from adapters.temporal.stamp import StampedStarts, StartStamp


async def make_client(
    address: str,
    namespace: str,
    *,
    tracing: bool = False,
    stamp: StartStamp | None = None,
) -> Client:
    """Connect, with the data converter of our histories.

    Args:
        address: `host:port`.
        namespace: one namespace holds one house.
        tracing: adds spans on starts, workflows and activities. `TracingInterceptor` writes them at
            once; a span that ends with a month-long workflow would be of no use.
        stamp: puts starts on the sandbox's clock; None in production.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=pydantic_data_converter,
        interceptors=_interceptors(tracing=tracing, stamp=stamp),
    )


async def connect(
    config: ClientConnectConfig, *, tracing: bool = False, stamp: StartStamp | None = None
) -> Client:
    """Connect by Temporal's own client configuration (`TEMPORAL_*` variables or its file)."""
    return await Client.connect(
        **config,
        data_converter=pydantic_data_converter,
        interceptors=_interceptors(tracing=tracing, stamp=stamp),
    )


def _interceptors(*, tracing: bool, stamp: StartStamp | None) -> Sequence[Interceptor]:
    interceptors: list[Interceptor] = [TracingInterceptor()] if tracing else []
    if stamp is not None:
        interceptors.append(StampedStarts(stamp))
    return interceptors
