"""Decrypts payloads for people who look at histories in the Temporal UI or with its command line.

POST /decode and /encode, as the Temporal UI and CLI call them: a JSON object of payloads, answered
by the same. 401 no valid token · 403 another namespace · 413 too large · 400 not payloads, or not
readable. GET / takes a token from a person and keeps it in a cookie for the UI in the same browser.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

from adapters.temporal.codec import PayloadUnreadable
from domain.errors import InvalidInput

BODY_BYTES_MAX = 16 * 1024 * 1024
TOKEN_LEAST = 24
COOKIE = "acquit_codec"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Decryption</title>
<form method="post" action="/"><label>Token <input name="token" type="password"
autocomplete="off" required></label> <button>Keep it in this browser</button></form></html>"""


@dataclass(frozen=True, slots=True)
class Looked:
    """One use of the server, for the audit log: who, what, how many; nothing of the contents."""

    who: str
    verb: str
    namespace: str
    payloads: int
    outcome: str


Audit = Callable[[Looked], None]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who may decrypt: a name for each token."""

    names: Mapping[str, str] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "Tokens":
        """Read one `name:token` a line.

        Raises:
            InvalidInput: a line is not of that form, a token is short, or there is none.
        """
        names: dict[str, str] = {}
        for number, line in enumerate(text.splitlines(), start=1):
            if not line.strip():
                continue
            name, colon, token = line.strip().partition(":")
            if not colon or not name or len(token) < TOKEN_LEAST:
                rule = f"name:token, {TOKEN_LEAST} characters or more"
                raise InvalidInput("codec_tokens", f"line {number}", rule)
            names[token] = name
        if not names:
            raise InvalidInput("codec_tokens", "", "at least one name:token")
        return cls(names)

    def owner(self, presented: str) -> str | None:
        """Whose token this is; every token is compared, so that time tells nothing."""
        found = None
        for token, name in self.names.items():
            if hmac.compare_digest(token.encode(), presented.encode()):
                found = name
        return found


class CodecDoor:
    """The handlers of the server; they keep no state."""

    def __init__(self, codec: PayloadCodec, tokens: Tokens, namespace: str, audit: Audit) -> None:
        self._codec, self._tokens = codec, tokens
        self._namespace, self._audit = namespace, audit

    async def decode(self, request: Request) -> Response:
        """Decrypt."""
        return await self._answer(request, "decode")

    async def encode(self, request: Request) -> Response:
        """Encrypt, for starts and signals from the command line."""
        return await self._answer(request, "encode")

    async def form(self, _request: Request) -> Response:
        """Ask a person for a token."""
        return HTMLResponse(_PAGE, headers={"Cache-Control": "no-store"})

    async def enter(self, request: Request) -> Response:
        """Keep a valid token in a cookie that scripts cannot read and other sites cannot send."""
        body = await _body(request, 4096) or b""
        token = dict(parse_qsl(body.decode(errors="replace"))).get("token", "")
        who = self._tokens.owner(token)
        self._audit(Looked(who or "", "enter", self._namespace, 0, "ok" if who else "refused"))
        if who is None:
            return PlainTextResponse("no such token", 401)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(COOKIE, token, max_age=8 * 3600, httponly=True, samesite="strict")
        return answer

    async def _answer(self, request: Request, verb: str) -> Response:
        namespace = request.headers.get("x-namespace", "")
        who = self._tokens.owner(_presented(request))
        status, count, content = 401, 0, ""
        if who is not None and namespace not in {"", self._namespace}:
            status = 403
        elif who is not None:
            status, count, content = await self._turned(request, verb)
        outcome = "ok" if status == 200 else f"refused {status}"
        self._audit(Looked(who or "", verb, namespace[:80], count, outcome))
        if status != 200:
            return PlainTextResponse(f"refused: {status}", status)
        headers = {"Cache-Control": "no-store"}
        return Response(content, media_type="application/json", headers=headers)

    async def _turned(self, request: Request, verb: str) -> tuple[int, int, str]:
        body = await _body(request, BODY_BYTES_MAX)
        if body is None:
            return 413, 0, ""
        try:
            given = Parse(body, Payloads())
            turn = self._codec.decode if verb == "decode" else self._codec.encode
            done: list[Payload] = await turn(given.payloads)
        except (ParseError, UnicodeDecodeError, PayloadUnreadable):
            return 400, 0, ""
        return 200, len(done), MessageToJson(Payloads(payloads=done))


def build_codec_app(
    codec: PayloadCodec, tokens: Tokens, *, namespace: str, origin: str, audit: Audit
) -> Starlette:
    """The application; `origin` is the Temporal UI's, the only one a browser may call us from."""
    door = CodecDoor(codec, tokens, namespace, audit)
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[origin],
        allow_methods=["POST"],
        allow_headers=["Authorization", "Content-Type", "X-Namespace"],
        allow_credentials=True,
    )
    return Starlette(
        routes=[
            Route("/decode", door.decode, methods=["POST"]),
            Route("/encode", door.encode, methods=["POST"]),
            Route("/", door.form, methods=["GET"]),
            Route("/", door.enter, methods=["POST"]),
        ],
        middleware=[cors],
    )


def _presented(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip()
    return request.cookies.get(COOKIE, "")


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body, None when it is longer than `most` bytes."""
    whole = bytearray()
    async for part in request.stream():
        whole += part
        if len(whole) > most:
            return None
    return bytes(whole)
