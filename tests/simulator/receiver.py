"""A webhook receiver in twenty lines of HTTP, with a verifier of Standard Webhooks signatures."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.driver import HOOK_SECRET


@dataclass(frozen=True)
class Message:
    """One delivery as it came."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.raw)

    @property
    def genuine(self) -> bool:
        """Say whether the signature is right (the age of its stamp is another question)."""
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode()
        mac = hmac.new(HOOK_SECRET.encode(), signed + self.raw, hashlib.sha256).digest()
        return self.headers["webhook-signature"] == "v1," + base64.b64encode(mac).decode()


@dataclass
class Receiver:
    """Keeps every delivery; answers `status`."""

    url: str = ""
    status: int = 200
    messages: list[Message] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one request of a connection and close it."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        pairs = (line.split(":", 1) for line in head[1:] if line)
        headers = {name.lower().strip(): value.strip() for name, value in pairs}
        raw = await reader.readexactly(int(headers.get("content-length", "0")))
        self.messages.append(Message(head[0].split(" ")[1], headers, raw))
        answer = f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        writer.write(answer.encode())
        await writer.drain()
        writer.close()

    def about(self, order_no: str) -> list[Message]:
        """Return deliveries about one order."""
        return [
            message
            for message in self.messages
            if order_no
            in {message.body.get("order_no"), message.body.get("order", {}).get("order_no")}
        ]
