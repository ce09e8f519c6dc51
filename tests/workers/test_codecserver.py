"""The decryption server as a program: refuses to start half-configured, logs who looked."""

import asyncio
import base64
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from adapters.temporal.codec import new_key
from domain.errors import InvalidInput
from workers.codecserver import codec_app
from workers.processes import Child, free_port
from workers.settings import Settings

TOKEN = "t" * 40


@pytest.mark.parametrize("given", [{}, {"payload_keys": new_key("k")}, {"codec_tokens": "a:b"}])
def test_half_a_configuration_is_refused(given: dict[str, str]) -> None:
    """Without keys and tokens nothing is served; both variables are named."""
    with pytest.raises(InvalidInput, match="ACQUIT_PAYLOAD_KEYS and ACQUIT_CODEC_TOKENS"):
        codec_app(Settings.model_validate(given), "acquit")


async def test_server_answers_and_writes_one_line_for_each_look(tmp_path: Path) -> None:
    """The line says who, what and how many; the process ends well on SIGTERM."""
    port = free_port()
    env = {
        **os.environ,
        "ACQUIT_HOME": str(tmp_path),
        "ACQUIT_CODEC_PORT": str(port),
        "ACQUIT_PAYLOAD_KEYS": new_key("k1"),
        "ACQUIT_CODEC_TOKENS": f"ann:{TOKEN}",
        "TEMPORAL_NAMESPACE": "acquit",
    }
    argv = [sys.executable, "-m", "workers.codecserver"]
    child = await Child.start(argv, log=tmp_path / "codec.log", env=env)
    try:
        answer = await _asked(f"http://127.0.0.1:{port}/encode")
    finally:
        code = await child.stop(first=signal.SIGTERM)
    assert answer.status_code == 200
    log = child.log.read_text()
    line = next(json.loads(text) for text in log.splitlines() if "looked at" in text)
    seen = {name: line[name] for name in ("who", "verb", "namespace", "payloads", "outcome")}
    assert seen == {
        "who": "ann",
        "verb": "encode",
        "namespace": "acquit",
        "payloads": 1,
        "outcome": "ok",
    }
    assert TOKEN not in log
    assert code in {0, -signal.SIGTERM}


async def _asked(address: str) -> httpx.Response:
    data = base64.b64encode(b'"12"').decode()
    body = {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": data}]}
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Namespace": "acquit"}
    async with asyncio.timeout(30), httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                return await client.post(address, json=body, headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(0.1)
