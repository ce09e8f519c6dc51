"""Requests to witnesses: one POST, a bounded answer, and what went wrong in words."""

import httpx

from domain.errors import Conflict
from ports.anchors import ANSWER_MOST_BYTES, AnchorFailed

TIMEOUT = httpx.Timeout(20.0)


async def post(
    client: httpx.AsyncClient, name: str, url: str, content: bytes, headers: dict[str, str]
) -> bytes:
    """The body of the answer to one request.

    Raises:
        AnchorFailed: no answer, another status than 200, or a body that is too large.
        Conflict: status 409: the witness holds another checkpoint of the same size.
    """
    found = b""
    try:
        async with client.stream(
            "POST", url, content=content, headers=headers, timeout=TIMEOUT, follow_redirects=False
        ) as answer:
            if answer.status_code == httpx.codes.CONFLICT:
                raise Conflict(f"anchor {name} holds another checkpoint of this size")
            if answer.status_code != httpx.codes.OK:
                raise AnchorFailed(name, f"answered with status {answer.status_code}")
            async for part in answer.aiter_bytes():
                found += part
                if len(found) > ANSWER_MOST_BYTES:
                    raise AnchorFailed(name, f"answered with more than {ANSWER_MOST_BYTES} bytes")
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise AnchorFailed(name, f"gave no answer ({type(error).__name__})") from None
    return found
