"""Text messages against a real HTTP server in this process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.notices.channels import TokenContacts
from adapters.notices.sms import SmsNotices
from adapters.notices.wording import Wording
from domain.errors import Conflict
from ports.notices import Notice, NotSent, Sent

NOTICE = Notice(
    message_id="paid-L-1-3",
    channel="sms",
    to="payer-7",
    language="en",
    template="paid",
    values={
        "lender": "Lender A",
        "loan": "L-1",
        "contact": "400-000-0000",
        "installment": "3",
        "amount_minor": "123456",
        "currency": "CNY",
        "paid_on": "2026-02-05",
    },
)


@dataclass
class Carrier:
    """Takes each message id once, or answers what it is set to answer."""

    url: str = ""
    answer: Response | None = None
    posts: int = 0
    taken: dict[str, dict[str, str]] = field(default_factory=dict)
    authorization: str | None = None

    async def messages(self, request: Request) -> Response:
        self.posts += 1
        self.authorization = request.headers.get("authorization")
        body = await request.json()
        if self.answer is not None:
            return self.answer
        self.taken.setdefault(body["message_id"], body)
        return JSONResponse({"provider_id": f"P-{len(self.taken)}"}, status_code=202)


@pytest.fixture
async def carrier() -> AsyncIterator[Carrier]:
    carrier = Carrier()
    app = Starlette(routes=[Route("/sms/v1/messages", carrier.messages, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    carrier.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    task = asyncio.create_task(server.serve([listener]))
    yield carrier
    server.should_exit = True
    await asyncio.wait_for(task, 10)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


def notices(client: httpx.AsyncClient, url: str) -> SmsNotices:
    return SmsNotices(client, url, "s3cret", TokenContacts("people.example"), Wording())


async def test_a_message_is_handed_in_with_id_language_and_one_paragraph(
    carrier: Carrier, client: httpx.AsyncClient
) -> None:
    """The carrier gets exactly what the contract names, and its number comes back."""
    assert await notices(client, carrier.url).send(NOTICE) == Sent("paid-L-1-3", "P-1")
    assert carrier.authorization == "Bearer s3cret"
    body = carrier.taken["paid-L-1-3"]
    assert {key: body[key] for key in ("message_id", "to", "lang")} == {
        "message_id": "paid-L-1-3",
        "to": "payer-7",
        "lang": "en",
    }
    assert "CN¥1,234.56 on February 5, 2026" in body["text"]
    assert "\n" not in body["text"]


async def test_a_repeat_posts_nothing_and_another_content_is_a_conflict(
    carrier: Carrier, client: httpx.AsyncClient
) -> None:
    """One id is one message."""
    sender = notices(client, carrier.url)
    assert await sender.send(NOTICE) == await sender.send(NOTICE)
    with pytest.raises(Conflict):
        await sender.send(replace(NOTICE, language="zh-CN"))
    assert carrier.posts == 1


@pytest.mark.parametrize(
    ("status", "retryable", "maybe"),
    [(400, False, False), (401, False, False), (429, True, False), (503, True, True)],
)
async def test_a_carriers_no_is_classed_by_its_number(
    carrier: Carrier, client: httpx.AsyncClient, status: int, *, retryable: bool, maybe: bool
) -> None:
    """What the carrier refuses for good is not tried again; what is busy is."""
    carrier.answer = JSONResponse({"text": "no to payer-7"}, status_code=status)
    answer = await notices(client, carrier.url).send(NOTICE)
    assert answer == NotSent(NOTICE.message_id, f"sms_{status}", retryable, maybe)


async def test_an_odd_yes_is_still_a_yes(carrier: Carrier, client: httpx.AsyncClient) -> None:
    """A message that was taken is sent even if the carrier's body cannot be read."""
    carrier.answer = Response("taken!", status_code=202)
    assert await notices(client, carrier.url).send(NOTICE) == Sent(NOTICE.message_id)


async def test_a_cut_connection_may_have_sent_and_the_retry_does_not_double(
    carrier: Carrier, client: httpx.AsyncClient
) -> None:
    """The answer is lost, the message is not; the second try meets the same id."""
    sender = notices(client, carrier.url)
    cutting = await _cutting_server()
    async with cutting:
        port = cutting.sockets[0].getsockname()[1]
        lost = await notices(client, f"http://127.0.0.1:{port}").send(NOTICE)
    assert lost == NotSent(NOTICE.message_id, "sms_no_answer", retryable=True, maybe_sent=True)
    first = await sender.send(NOTICE)
    again = await notices(client, carrier.url).send(NOTICE)
    assert first == again == Sent(NOTICE.message_id, "P-1")
    assert (carrier.posts, len(carrier.taken)) == (2, 1)


async def _cutting_server() -> asyncio.Server:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    return await asyncio.start_server(cut, "127.0.0.1", 0)


async def test_a_carrier_that_is_not_there_was_sent_nothing(
    client: httpx.AsyncClient, unused_port: int
) -> None:
    """No connection, no message: certain, and worth another try."""
    answer = await notices(client, f"http://127.0.0.1:{unused_port}").send(NOTICE)
    assert answer == NotSent(NOTICE.message_id, "sms_unreachable", retryable=True)
