"""`python -m workers.codecserver`: decrypts histories for people who look at the Temporal UI."""

from __future__ import annotations

import asyncio
import logging
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from adapters.telemetry.logs import configure_logging
from adapters.telemetry.redaction import Redactor
from adapters.temporal.codec import EncryptionCodec, Keyring
from adapters.temporal.codecserver import Looked, Tokens, build_codec_app
from domain.errors import InvalidInput
from workers.health import Health, health_door
from workers.reporting import complain
from workers.serving import serving, stop_requested
from workers.settings import load_settings, secrets_in, temporal_config

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from workers.settings import Settings

LOG = logging.getLogger("acquit.codec")


def codec_app(settings: Settings, namespace: str) -> Starlette:
    """The application by settings; each use becomes one line of the log.

    Raises:
        InvalidInput: keys or tokens are absent or faulty.
    """
    if settings.payload_keys is None or settings.codec_tokens is None:
        rule = "ACQUIT_PAYLOAD_KEYS and ACQUIT_CODEC_TOKENS, both"
        raise InvalidInput("environment", "", rule)
    return build_codec_app(
        EncryptionCodec(Keyring.parse(settings.payload_keys.get_secret_value())),
        Tokens.parse(settings.codec_tokens.get_secret_value()),
        namespace=namespace,
        origin=settings.codec_origin,
        audit=_note,
    )


def _note(looked: Looked) -> None:
    LOG.info("histories looked at", extra=asdict(looked))


def main() -> int:
    """Serve until SIGTERM or SIGINT."""
    try:
        settings = load_settings()
        app = codec_app(settings, temporal_config(None)["namespace"])
    except Exception as error:  # noqa: BLE001  (the one exit door)
        return int(complain(error))
    configure_logging(settings.log_level, Redactor(secrets_in(settings, None)))
    try:
        asyncio.run(_serve(app, settings))
    except InvalidInput as error:  # an address that is taken
        return int(complain(error))
    return 0


async def _serve(app: Starlette, settings: Settings) -> None:
    """Serve until asked to stop, then let what has begun be answered."""
    stop, health = stop_requested(), Health("codec")
    async with (
        health_door(health, settings),
        serving(app, settings.codec_host, settings.codec_port, "codec") as door,
    ):
        health.part("door", lambda: not door.done())
        await health.watch(stop)


if __name__ == "__main__":
    sys.exit(main())
