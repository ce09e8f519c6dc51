"""A Temporal dev server of our own: started, awaited, restarted and stopped in order.

Started by us and not through the SDK, because the SDK kills its child hard, which a file-backed
server must not suffer. Dev servers are for development, tests and demonstrations only.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Self

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Unavailable
from workers.processes import Child, Server, free_port, tail_of
from workflows.names import SEARCH_ATTRIBUTES

SANDBOX_FLAGS = (
    "frontend.WorkflowTimeSkippingEnabled=true",
    'history.timerProcessorMaxTimeShift="1ms"',
    "history.transferProcessorMaxPollRPS=1000",
    "history.timerProcessorMaxPollRPS=1000",
    "history.visibilityProcessorMaxPollRPS=1000",
)
"""Dynamic configuration for the virtual clock: switched on; a skip costs 85 ms, not a second.

The last three: a server reads each of its queues at most 20 times a second for each shard. A dev
server has one shard, so every step of a chain of tasks waits up to 50 ms for its turn: a workflow
of four activities takes 450 ms with the default and 75 ms without that limit.
"""


RETENTION = timedelta(days=30)
_HOST = "127.0.0.1"
_POLL_S = 0.1
USUAL_PORT, USUAL_UI_PORT = 7233, 8233
"""Where Temporal's clients and people look by themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevServerOptions:
    """How to run the server; ports left out are chosen free, with a UI the usual ones if they are.

    `db_file` None keeps everything in memory. `dynamic_config` holds `key=JSON` pairs.
    `log_file` None logs into a temporary folder that is removed on stop.
    """

    namespace: str = "acquit"
    db_file: Path | None = None
    port: int | None = None
    ui: bool = False
    ui_port: int | None = None
    dynamic_config: tuple[str, ...] = ()
    log_file: Path | None = None
    log_level: str = "warn"
    outlive: bool = False
    startup_s: float = 60.0


class DevServerError(Unavailable):
    """The server did not come up; names its log, or ends with its last lines where none is kept."""


class DevServer(Server):
    """One dev server: `async with DevServer(binary, options) as server: await server.connect()`."""

    def __init__(self, binary: Path, options: DevServerOptions | None = None) -> None:
        super().__init__()
        self._binary = binary
        self._options = options or DevServerOptions()
        ui = self._options.ui
        self._port = self._options.port or free_port(_HOST, USUAL_PORT if ui else 0)
        self._ui_port = (self._options.ui_port or free_port(_HOST, USUAL_UI_PORT)) if ui else None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    @property
    def address(self) -> str:
        """Return `host:port` for `Client.connect`."""
        return f"{_HOST}:{self._port}"

    @property
    def namespace(self) -> str:
        """Return the namespace that was created with our search attributes."""
        return self._options.namespace

    @property
    def ui_url(self) -> str | None:
        """Return the address of the web pages, None when the server runs headless."""
        return None if self._ui_port is None else f"http://{_HOST}:{self._ui_port}"

    @property
    def pid(self) -> int | None:
        """Return the process id while it runs."""
        return None if self._child is None else self._child.pid

    async def start(self) -> Self:
        """Start the process and return once workflows can be started.

        Raises DevServerError when it ends early or is not healthy within `startup_s` seconds.
        """
        if self.running:
            return self
        options = self._options
        if options.db_file is not None:
            options.db_file.parent.mkdir(parents=True, exist_ok=True)
        if options.log_file is None and self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="acquit-temporal-")
        log = options.log_file or Path(self._scratch.name if self._scratch else ".") / "server.log"
        self._child = await Child.start(self._arguments(), log=log, outlive=options.outlive)
        try:
            await self._until_healthy()
        except BaseException:
            await self.stop()
            raise
        return self

    async def stop(self) -> None:
        """Stop with SIGTERM, so that the file is closed properly; kill after 15 seconds."""
        if self._child is not None:
            await self._child.stop(first=signal.SIGTERM)
        self._child = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    async def restart(self, *, hard: bool = False) -> None:
        """Go down and come back on the same port and file; `hard` kills instead of stopping.

        Without a `db_file` the server comes back empty.
        """
        if hard:
            await self.kill()
        else:
            await self.stop()
        await self.start()

    async def connect(self) -> Client:
        """Return a plain client in our namespace (no data converter: compose your own for that)."""
        return await Client.connect(self.address, namespace=self.namespace)

    def _arguments(self) -> list[str | Path]:
        options = self._options
        argv: list[str | Path] = [self._binary, "server", "start-dev"]
        argv += ["--ip", _HOST, "--port", str(self._port), "--namespace", options.namespace]
        argv += ["--log-level", options.log_level]
        if self._ui_port is None:
            argv += ["--headless"]
        else:
            argv += ["--ui-port", str(self._ui_port), "--ui-disable-news-fetch"]
        if options.db_file is not None:
            argv += ["--db-filename", options.db_file]
            # FULL: a history the server has acknowledged survives a power cut, as the books do.
            argv += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=2"]
        for name, kind in SEARCH_ATTRIBUTES.items():
            argv += ["--search-attribute", f"{name}={kind}"]
        for pair in options.dynamic_config:
            argv += ["--dynamic-config-value", pair]
        return argv

    async def _until_healthy(self) -> None:
        """Wait for the namespace and raise its retention: one day would lose closed histories."""
        config = NamespaceConfig(
            workflow_execution_retention_ttl=Duration(seconds=int(RETENTION.total_seconds()))
        )
        request = UpdateNamespaceRequest(namespace=self.namespace, config=config)
        try:
            async with asyncio.timeout(self._options.startup_s):
                while True:  # ends by return, by the process ending, or by the time-out around it
                    if self._child is None or self._child.returncode is not None:
                        raise DevServerError(self._account("ended while starting"))
                    try:
                        client = await self.connect()
                        await client.workflow_service.update_namespace(
                            request, timeout=timedelta(seconds=5)
                        )
                    except (RPCError, RuntimeError):
                        await asyncio.sleep(_POLL_S)
                    else:
                        return
        except TimeoutError:
            what = f"was not healthy after {self._options.startup_s:g} s"
            raise DevServerError(self._account(what)) from None

    def _account(self, what: str) -> str:
        reported = f"the Temporal dev server {what} ({self._binary})"
        if self._options.log_file is not None:
            return f"{reported}; see {self._options.log_file}: {tail_of(self._options.log_file, 1)}"
        return f"{reported}:\n{'' if self._child is None else self._child.tail()}"
