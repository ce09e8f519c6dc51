"""The HTTP transport of all rails.

After a fault it says whether the request can have left: a fault before the first byte is
`RailUnavailable`, everything after it is `Unanswered`, and the order must be inquired about.
"""

import asyncio
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
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


class TooLarge(Unanswered):
    """The answer is longer than the caller takes; reading stopped there."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Time-outs in seconds, sizes in bytes; every one explicit.

    `total_s` bounds a whole exchange: shorter than a sender's lease, so that an answer that drips
    in never outlives it. `keepalive_s` is shorter than servers usually keep an idle connection: a
    request sent into a connection that the server is just closing may have been executed.
    """

    connections: int = 20
    keepalive_s: float = 2.0
    connect_s: float = 3.0
    read_s: float = 10.0
    write_s: float = 10.0
    pool_s: float = 5.0
    total_s: float = 40.0
    answer_max: int = 256 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after_s(self) -> float | None:
        """Seconds of `Retry-After`, at most an hour; None when it is absent or a date."""
        try:
            seconds = float(self.headers.get("retry-after", ""))
        except ValueError:
            return None
        return min(seconds, RETRY_AFTER_MOST_S) if math.isfinite(seconds) and seconds >= 0 else None


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

    async def send(self, request: httpx.Request, answer_max: int | None = None) -> Answer:
        """Send a request once and read its whole answer.

        Raises:
            RailUnavailable: no connection was made, so nothing left.
            Unanswered: it may have left and no whole answer came; `TooLarge` when it is too long.
        """
        most = self.limits.answer_max if answer_max is None else answer_max
        with self._watch(request) as answered:
            answer = await self._exchange(request, most)
            answered(answer.status)
            return answer

    async def _exchange(self, request: httpx.Request, most: int) -> Answer:
        try:
            async with asyncio.timeout(self.limits.total_s):
                response = await self._client.send(request, stream=True)
                try:
                    body = await _read(response, most)
                finally:
                    await response.aclose()
        except TimeoutError:
            raise Unanswered("total") from None
        except _NEVER_LEFT as error:
            raise RailUnavailable(_short(error)) from None
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise Unanswered(_short(error)) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)


async def _read(response: httpx.Response, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > most:
            raise TooLarge("too_large")
        parts.append(part)
    return b"".join(parts)


def _short(error: Exception) -> str:
    """A fault's name as a code: httpx messages may carry addresses, so they are left out."""
    return type(error).__name__.removesuffix("Error").lower() or "http"
