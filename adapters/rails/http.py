"""The HTTP transport of all rails and statement sources.

After a fault it says whether the request can have left: a fault before the first byte is
`RailUnavailable`, everything after it is `Unanswered`, and the order must be inquired about.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import httpx

from domain.errors import AcquitError, InvalidInput
from ports.rail import RailUnavailable

RETRY_AFTER_MOST_S = 3600.0
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Unanswered(AcquitError):
    """The request may have left, and no whole answer came. `why` is a short code."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no usable answer: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Time-outs in seconds, sizes in bytes; every one explicit.

    `total_s` bounds a whole exchange: shorter than a sender's lease, so that an answer that drips
    in never outlives it. `file_s` bounds the fetching of a file. `keepalive_s` is shorter than
    servers usually keep an idle connection: a request sent into a connection that the server is
    just closing may have been executed.
    """

    connections: int = 20
    keepalive_s: float = 2.0
    connect_s: float = 3.0
    read_s: float = 10.0
    write_s: float = 10.0
    pool_s: float = 5.0
    total_s: float = 40.0
    file_s: float = 3600.0
    answer_max: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """What an HTTP answer begins with; header names in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def retry_after_s(self) -> float | None:
        """Seconds of `Retry-After`, at most an hour; None when it is absent or a date."""
        try:
            seconds = float(self.headers.get("retry-after", ""))
        except ValueError:
            return None
        return min(seconds, RETRY_AFTER_MOST_S) if math.isfinite(seconds) and seconds >= 0 else None


@dataclass(frozen=True, slots=True)
class Answer(Head):
    """A whole HTTP answer."""

    body: bytes


@dataclass(frozen=True, slots=True)
class OpenAnswer(Head):
    """An HTTP answer whose body is still coming, in parts that are read once."""

    parts: AsyncIterator[bytes]


Watch = Callable[[httpx.Request], AbstractContextManager[Callable[[int], None]]]
"""Gives a context to run an exchange in, whose value is called with the status of the answer."""


@contextmanager
def unwatched(_request: httpx.Request) -> Iterator[Callable[[int], None]]:
    """The default watch: no span, no counter."""
    yield lambda _status: None


class RailHttp:
    """A bounded HTTP client of one counterparty. Redirects and proxies of the system are off.

    `watch` is run around each exchange, for spans and counters; it must not look at bodies.
    """

    def __init__(
        self,
        base_url: str,
        limits: HttpLimits | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        watch: Watch = unwatched,
    ) -> None:
        if not base_url.startswith(("http://", "https://")):
            raise InvalidInput("base_url", base_url.partition(":")[0], "http:// or https://")
        self._base = base_url.rstrip("/")
        self.limits = limits or HttpLimits()
        self._watch = watch
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(
                connect=self.limits.connect_s,
                read=self.limits.read_s,
                write=self.limits.write_s,
                pool=self.limits.pool_s,
            ),
            limits=httpx.Limits(
                max_connections=self.limits.connections,
                max_keepalive_connections=self.limits.connections,
                keepalive_expiry=self.limits.keepalive_s,
            ),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def build(self, method: str, target: str, body: bytes = b"") -> httpx.Request:
        """Return a request whose `url.raw_path` is the target exactly as it will be sent."""
        return self._client.build_request(method, self._base + target, content=body or None)

    async def send(self, request: httpx.Request) -> Answer:
        """Send a request once and read its whole answer.

        Raises:
            RailUnavailable: no connection was made, so nothing left.
            Unanswered: it may have left and no whole answer came, or a longer one than we take.
        """
        async with self.open(request, self.limits.total_s) as answer:
            body = await _read(answer.parts, self.limits.answer_max)
            return Answer(answer.status, answer.headers, body)

    @asynccontextmanager
    async def open(self, request: httpx.Request, total_s: float) -> AsyncIterator[OpenAnswer]:
        """Send a request once; its answer is read inside the context, within `total_s` seconds.

        Raises:
            RailUnavailable: no connection was made, so nothing left.
            Unanswered: it may have left and no whole answer came; also from the answer's parts.
        """
        with self._watch(request) as answered:
            async with self._exchange(request, total_s) as answer:
                yield answer
            answered(answer.status)

    @asynccontextmanager
    async def _exchange(self, request: httpx.Request, total_s: float) -> AsyncIterator[OpenAnswer]:
        try:
            async with asyncio.timeout(total_s) as limit:
                response = await self._client.send(request, stream=True)
                try:
                    headers = {name.lower(): value for name, value in response.headers.items()}
                    yield OpenAnswer(response.status_code, headers, response.aiter_bytes())
                finally:
                    await response.aclose()
        except TimeoutError:
            if not limit.expired():
                raise
            raise Unanswered("total") from None
        except _NEVER_LEFT as error:
            raise RailUnavailable(_short(error)) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Unanswered(_short(error)) from None


async def _read(parts: AsyncIterator[bytes], most: int) -> bytes:
    read: list[bytes] = []
    size = 0
    async for part in parts:
        size += len(part)
        if size > most:
            raise Unanswered("too_large")
        read.append(part)
    return b"".join(read)


def _short(error: Exception) -> str:
    """A fault's name as a code: httpx messages may carry addresses, so they are left out."""
    return type(error).__name__.removesuffix("Error").lower() or "http"
