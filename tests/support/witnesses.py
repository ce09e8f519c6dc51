"""Witnesses for tests: a server that signs, and a time stamping authority of `openssl ts`."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from adapters.signing.ed25519 import Ed25519Signer
from domain.ledger.checkpoint import (
    ED25519_COSIGNATURE,
    PublicKey,
    Signature,
    read_checkpoint,
)

Answer = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]
Reply = Callable[[bytes, dict[str, str]], Answer]


@dataclass
class Witness:
    """A server on this machine; `reply` answers each request, `asked` are those that came."""

    reply: Reply
    asked: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def served(reply: Reply) -> Iterator[Witness]:
    """Run a server until the end of the block."""
    witness = Witness(reply)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            witness.asked.append((content, headers))
            status, body, *more = witness.reply(content, headers)
            self.send_response(status)
            for name, value in (more[0] if more else {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    witness.url = f"http://127.0.0.1:{server.server_address[1]}/add"
    try:
        yield witness
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


NAME = "witness.example/w1"
SEEN_AT = 1_772_424_000
"""2026-03-02 04:00:00 UTC."""


def plain_line(content: bytes, signer: Ed25519Signer) -> bytes:
    """A signature of a checkpoint's text."""
    text = read_checkpoint(content.decode()).head.text()
    key = PublicKey(NAME, signer.public)
    return Signature(NAME, key.key_id(NAME), signer.sign(text.encode())).line().encode()


def timed_line(content: bytes, signer: Ed25519Signer, seconds: int = SEEN_AT) -> bytes:
    """A signature of a checkpoint's text with a time, as C2SP `tlog-cosignature` has it."""
    text = read_checkpoint(content.decode()).head.text()
    key = PublicKey(NAME, signer.public, None, ED25519_COSIGNATURE)
    signed = signer.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    line = Signature(NAME, key.key_id(NAME), seconds.to_bytes(8) + signed)
    return line.line().encode()


_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
ess_cert_id_alg = sha256
[ca]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
"""


class Authority:
    """A certificate authority and a time stamping authority in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots = folder / "ca.pem"
        (folder / "ts.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        key = ("-newkey", "rsa:2048", "-nodes", "-config", "ts.cnf")
        (folder / "ts.cnf").write_text(
            _CONFIG.format(folder=folder) + "[req]\ndistinguished_name = name\n[name]\n"
        )
        self.run("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650",
                 "-subj", "/CN=Test Root", "-extensions", "ca")  # fmt: skip
        self.run("req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=Test TSA")
        self.run("x509", "-req", "-in", "tsa.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                 "-CAcreateserial", "-out", "tsa.pem", "-days", "3650", "-extfile", "ts.cnf",
                 "-extensions", "stamping")  # fmt: skip

    def run(self, *words: str) -> str:
        """Run openssl in the folder; its output."""
        done = subprocess.run(
            ["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def reply(self, content: bytes, headers: dict[str, str]) -> Answer:
        """Stamp what a request asks for."""
        assert headers["content-type"] == "application/timestamp-query"
        (self.folder / "query.tsq").write_bytes(content)
        self.run("ts", "-reply", "-config", "ts.cnf", "-section", "one", "-queryfile", "query.tsq",
                 "-out", "reply.tsr")  # fmt: skip
        return 200, (self.folder / "reply.tsr").read_bytes()
