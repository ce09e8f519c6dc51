"""Requests to witnesses: one POST, a bounded answer, and what went wrong in words."""

import asyncio

import httpx

from domain.errors import Conflict
from ports.anchors import ANSWER_MOST_BYTES, AnchorFailed

TIMEOUT = httpx.Timeout(20.0)
ANSWER_MOST_S = 60.0
"""How long a whole answer may take: a witness that sends a byte now and then fails too."""


async def post(
    client: httpx.AsyncClient, name: str, url: str, content: bytes, headers: dict[str, str]
) -> bytes:
    """The body of the answer to one request.

    Raises:
        AnchorFailed: no whole answer in time, another status than 200, or a body that is packed or
            too large.
        Conflict: status 409: the witness holds another checkpoint of the same size.
    """
    try:
        async with asyncio.timeout(ANSWER_MOST_S):
            return await _posted(client, name, url, content, headers)
    except TimeoutError:
        raise AnchorFailed(name, f"gave no whole answer within {ANSWER_MOST_S:.0f} s") from None
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise AnchorFailed(name, f"gave no answer ({type(error).__name__})") from None


async def _posted(
    client: httpx.AsyncClient, name: str, url: str, content: bytes, headers: dict[str, str]
) -> bytes:
    found = b""
    # An answer that is packed could be small on the wire and without end in memory.
    plain = {**headers, "Accept-Encoding": "identity"}
    async with client.stream(
        "POST", url, content=content, headers=plain, timeout=TIMEOUT, follow_redirects=False
    ) as answer:
        if answer.status_code == httpx.codes.CONFLICT:
            raise Conflict(f"anchor {name} holds another checkpoint of this size")
        if answer.status_code != httpx.codes.OK:
            raise AnchorFailed(name, f"answered with status {answer.status_code}")
        if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise AnchorFailed(name, "answered in an encoding that was not asked for")
        async for part in answer.aiter_raw():
            found += part
            if len(found) > ANSWER_MOST_BYTES:
                raise AnchorFailed(name, f"answered with more than {ANSWER_MOST_BYTES} bytes")
    return found
