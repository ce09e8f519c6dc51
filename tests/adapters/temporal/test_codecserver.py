"""Who may decrypt what histories carry, from where, and what is written down about it."""

import base64
import json

import httpx
import pytest
from temporalio.contrib.pydantic import pydantic_data_converter

from adapters.temporal.codec import EncryptionCodec, Keyring, new_key
from adapters.temporal.codecserver import Looked, Tokens, build_codec_app
from domain.errors import InvalidInput

TOKEN = "t" * 32
UI = "http://127.0.0.1:8233"
NAMESPACE = {"X-Namespace": "acquit"}
BEARER = {"Authorization": f"Bearer {TOKEN}", **NAMESPACE}


class Queries:
    """The server over its own codec, and its audit log."""

    def __init__(self) -> None:
        self.codec = EncryptionCodec(Keyring.parse(new_key("k1")))
        self.seen: list[Looked] = []
        app = build_codec_app(
            self.codec,
            Tokens.parse(f"ann:{TOKEN}\n"),
            namespace="acquit",
            origin=UI,
            audit=self.seen.append,
        )
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8234"
        )

    async def body(self, value: str = "amount 1250") -> dict[str, object]:
        (payload,) = await self.codec.encode(
            pydantic_data_converter.payload_converter.to_payloads([value])
        )
        metadata = {
            name: base64.b64encode(part).decode() for name, part in payload.metadata.items()
        }
        data = base64.b64encode(payload.data).decode()
        return {"payloads": [{"metadata": metadata, "data": data}]}


async def test_holder_of_a_token_reads_and_is_written_down() -> None:
    """The answer is the clear payload; the log says who, what and how many, not what was in it."""
    queries = Queries()
    answer = await queries.http.post("/decode", json=await queries.body(), headers=BEARER)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    data = base64.b64decode(answer.json()["payloads"][0]["data"])
    assert json.loads(data) == "amount 1250"
    assert queries.seen == [Looked("ann", "decode", "acquit", 1, "ok")]


async def test_encoding_is_the_way_back() -> None:
    """A signal from the command line is encrypted as the workers would."""
    queries = Queries()
    sealed = await queries.body()
    clear = (await queries.http.post("/decode", json=sealed, headers=BEARER)).json()
    again = (await queries.http.post("/encode", json=clear, headers=BEARER)).json()
    assert again != clear
    assert (await queries.http.post("/decode", json=again, headers=BEARER)).json() == clear


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Cookie": "a=b"}])
async def test_nobody_reads_without_a_token(headers: dict[str, str]) -> None:
    """401, nothing decrypted, and the attempt is in the log."""
    queries = Queries()
    answer = await queries.http.post(
        "/decode", json=await queries.body(), headers=NAMESPACE | headers
    )
    assert answer.status_code == 401
    assert "payloads" not in answer.text
    assert queries.seen == [Looked("", "decode", "acquit", 0, "refused 401")]


async def test_other_namespace_is_refused() -> None:
    """403: a codec server decrypts for its own namespace only."""
    queries = Queries()
    headers = BEARER | {"X-Namespace": "other"}
    assert (
        await queries.http.post("/decode", json=await queries.body(), headers=headers)
    ).status_code == 403


@pytest.mark.parametrize("body", [b"", b"[1]", b"nonsense", b'{"payloads": 3}', b"\xff"])
async def test_what_is_not_payloads_is_a_mistake_and_no_crash(body: bytes) -> None:
    """400 without a word of what was sent."""
    answer = await Queries().http.post("/decode", content=body, headers=BEARER)
    assert answer.status_code == 400


async def test_changed_payload_is_refused() -> None:
    """One flipped bit and nothing of the batch is shown."""
    queries = Queries()
    body = await queries.body()
    entry = body["payloads"][0]  # type: ignore[index]
    data = bytearray(base64.b64decode(entry["data"]))
    data[-1] ^= 1
    entry["data"] = base64.b64encode(bytes(data)).decode()
    assert (await queries.http.post("/decode", json=body, headers=BEARER)).status_code == 400


async def test_too_much_at_once_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body has a limit, checked while it arrives."""
    monkeypatch.setattr("adapters.temporal.codecserver.BODY_BYTES_MAX", 64)
    queries = Queries()
    answer = await queries.http.post("/decode", json=await queries.body(), headers=BEARER)
    assert answer.status_code == 413


async def test_only_the_pages_of_the_ui_may_call_from_a_browser() -> None:
    """CORS names one origin; another gets no permission."""
    queries = Queries()
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-namespace"}
    ours = await queries.http.options("/decode", headers={"Origin": UI, **ask})
    assert ours.headers["access-control-allow-origin"] == UI
    assert ours.headers["access-control-allow-credentials"] == "true"
    theirs = await queries.http.options("/decode", headers={"Origin": "http://evil.example", **ask})
    assert "access-control-allow-origin" not in theirs.headers


async def test_person_brings_a_token_once_and_the_ui_reads_by_cookie() -> None:
    """The cookie cannot be read by scripts nor sent from other sites."""
    queries = Queries()
    assert "<form" in (await queries.http.get("/")).text
    assert (await queries.http.post("/", data={"token": "wrong"})).status_code == 401
    entered = await queries.http.post("/", data={"token": TOKEN})
    assert entered.status_code == 303
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    answer = await queries.http.post("/decode", json=await queries.body(), headers=NAMESPACE)
    assert answer.status_code == 200
    assert queries.seen[-1].who == "ann"


@pytest.mark.parametrize("text", ["", "ann", "ann:short", f":{TOKEN}"])
def test_faulty_list_of_tokens_is_refused(text: str) -> None:
    """Short tokens are refused when the server starts, and are not repeated in the message."""
    with pytest.raises(InvalidInput) as refused:
        Tokens.parse(text)
    assert "short" not in str(refused.value).replace("shorter", "")
