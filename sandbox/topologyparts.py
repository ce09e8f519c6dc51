"""The parts of a production installation as processes: argument lists and variables, in order.

The counterpart of docker-compose.yml; a test compares the two, so that what is tried here is what
is deployed.
"""

from __future__ import annotations

import os
import secrets as randomness
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from adapters.temporal.codec import new_key

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"
NAMESPACE = "acquit"
OWNER_ROLE, APP_ROLE = "acquit_owner", "acquit_app"
SERVICES = ("FRONTEND", "HISTORY", "MATCHING", "WORKER")
WORKERS = {
    "worker-workflows": "workflows",
    "worker-books": "books",
    "worker-debit-simbank": "debit.simbank",
    "api": "api",
}
"""Services of the compose file that are workers of ours, with their roles."""
SECRET_VARIABLES = {
    "ACQUIT_DATABASE_URL_FILE": "acquit_database_url",
    "ACQUIT_PAYLOAD_KEYS_FILE": "acquit_payload_keys",
}
"""Variables that name a file, and the file's name among the secrets."""
RAIL_FILES = ("rails.toml", "simulator.toml")
"""Which rails there are, for us and for the simulator that plays them."""
ACCOUNTS_FILE = "accounts.toml"
"""Which bank accounts are registered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One process: `once` runs to its end before the next one is started, `ours` is our program."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    once: bool = False
    ours: bool = True
    grace_s: float = 45.0


def low_port() -> int:
    """A TCP port below the range that the system gives out, free a moment ago.

    Temporal keeps its members' ports in a column of 16 signed bits and dies of a larger one; and a
    part that is started again must find its port free.

    Raises:
        OSError: none was found.
    """
    for _ in range(200):
        port = 20_000 + randomness.randbelow(12_000)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            if probe.connect_ex((HOST, port)):
                return port
    raise OSError("no free port between 20000 and 32000")


@dataclass(slots=True)
class Ports:
    """Ports of this installation; each was free a moment ago."""

    postgres: int = 0
    superuser: str = ""
    temporal: int = field(default_factory=low_port)
    simulator: int = field(default_factory=low_port)
    smtp: int = field(default_factory=low_port)
    api: int = field(default_factory=low_port)
    health: dict[str, int] = field(default_factory=lambda: {name: low_port() for name in WORKERS})
    inner: dict[str, int] = field(
        default_factory=lambda: (
            {
                f"{service}_{kind}": low_port()
                for service in SERVICES
                for kind in ("GRPC_PORT", "MEMBERSHIP_PORT")
                if (service, kind) != ("FRONTEND", "GRPC_PORT")
            }
            | {"FRONTEND_HTTP_PORT": low_port()}
        )
    )

    def take_postgres(self, url: str) -> None:
        """Note where the database server listens, and who may set up roles there."""
        found = urlsplit(url)
        self.postgres, self.superuser = found.port or 0, found.username or ""

    def lines(self) -> tuple[str, ...]:
        """What a person wants to know."""
        return (
            f"Temporal        {HOST}:{self.temporal} (namespace {NAMESPACE})",
            f"books           {database_url(APP_ROLE, '...', self)}",
            f"web door        http://{HOST}:{self.api}",
            f"simulated bank  http://{HOST}:{self.simulator}",
        )


@dataclass(frozen=True, slots=True)
class Secrets:
    """Fresh secrets of one installation, one file each."""

    values: Mapping[str, str] = field(
        repr=False,
        default_factory=lambda: (
            {
                name: randomness.token_hex(24)
                for name in (
                    "books_owner_password",
                    "books_password",
                    "temporal_password",
                    "acquit_simbank_api_secret",
                    "acquit_simbank_webhook_secret",
                )
            }
            | {"acquit_payload_keys": new_key("k1")}
        ),
    )

    def write(self, folder: Path, ports: Ports) -> Path:
        """Write the files, readable by their owner alone; gives the folder."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        urls = {
            "acquit_database_url": database_url(APP_ROLE, self.values["books_password"], ports),
            "acquit_owner_database_url": database_url(
                OWNER_ROLE, self.values["books_owner_password"], ports
            ),
        }
        for name, value in {**self.values, **urls}.items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(value, encoding="utf-8")
        return folder


def database_url(role: str, password: str, ports: Ports) -> str:
    """SQLAlchemy URL of the books for one role."""
    return f"postgresql+asyncpg://{role}:{password}@{HOST}:{ports.postgres}/acquit"


def server_variables(ports: Ports, root: Path, shards: int) -> dict[str, str]:
    """Variables of the Temporal server, as the image takes them."""
    return {
        "DB": "postgres12",
        "DB_PORT": str(ports.postgres),
        "POSTGRES_SEEDS": HOST,
        "POSTGRES_USER": "temporal",
        "BIND_ON_IP": HOST,
        "NUM_HISTORY_SHARDS": str(shards),
        "DYNAMIC_CONFIG_FILE_PATH": str(root / "deploy/temporal-server/dynamicconfig.yaml"),
        "LOG_LEVEL": "warn",
    }


def worker_variables(
    ports: Ports, home: Path, secrets_dir: Path, part: str = "worker-workflows"
) -> dict[str, str]:
    """Variables that all parts of ours share; each is asked how it is on a port of its own."""
    return {
        "TEMPORAL_ADDRESS": f"{HOST}:{ports.temporal}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "ACQUIT_HOME": str(home),
        "ACQUIT_LOG_LEVEL": "info",
        "ACQUIT_TENANT": "main",
        "ACQUIT_DRAIN_TIMEOUT_S": "50",
        "ACQUIT_HEALTH_HOST": HOST,
        "ACQUIT_HEALTH_PORT": str(ports.health[part]),
        "ACQUIT_RAILS": str(home / RAIL_FILES[0]),
        "ACQUIT_ACCOUNTS": str(home / ACCOUNTS_FILE),
        "ACQUIT_SMTP_HOST": HOST,
        "ACQUIT_SMTP_PORT": str(ports.smtp),
        **{name: str(secrets_dir / file) for name, file in SECRET_VARIABLES.items()},
    }


def write_rails(deploy: Path, home: Path, secrets_dir: Path, ports: Ports) -> None:
    """Write the files of rails and bank accounts into `home`.

    They are those of `deploy`, with the addresses of this place.
    """
    here = {
        "http://simulator:8600": f"http://{HOST}:{ports.simulator}",
        "http://api:8080": f"http://{HOST}:{ports.api}",
        "/run/secrets": str(secrets_dir),
    }
    for name in (*RAIL_FILES, ACCOUNTS_FILE):
        text = (deploy / name).read_text(encoding="utf-8")
        for deployed, place in here.items():
            text = text.replace(deployed, place)
        (home / name).write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an installation lives.

    Attributes:
        root: of the tree.
        home: where state goes.
        tools: folder with `temporal`, `temporal-server`, `temporal-sql-tool` and `psql`.
        secrets_dir: one file for each secret.
        environ: of this process; PATH, HOME, time zone and language are handed on.
    """

    root: Path
    home: Path
    tools: Path
    secrets_dir: Path
    environ: Mapping[str, str]


def parts_of(
    site: Site, ports: Ports, *, shards: int, seed: int, more: Mapping[str, str]
) -> tuple[Process, ...]:
    """Every part after PostgreSQL, in the order in which they are started.

    Args:
        site: where.
        ports: of everything.
        shards: of Temporal's history.
        seed: of the simulated bank.
        more: further variables of our own parts.
    """
    root, home, secrets_dir, environ = site.root, site.home, site.secrets_dir, site.environ
    deploy = root / "deploy"
    inherited = {name: environ[name] for name in ("HOME", "TZ", "LANG") if name in environ}
    path = f"{site.tools}:{environ.get('PATH', os.defpath)}"
    base = {**inherited, "PATH": path, "SECRETS_DIR": str(secrets_dir), "PYTHON": sys.executable}
    address = f"{HOST}:{ports.temporal}"

    def ours(part: str, **own: str) -> Mapping[str, str]:
        return {**base, **worker_variables(ports, home, secrets_dir, part), **more, **own}

    acquit = ("sh", str(deploy / "entrypoint.sh"), sys.executable, "-m", "cli")
    database = {"PGHOST": HOST, "PGPORT": str(ports.postgres), "POSTGRES_USER": ports.superuser}
    schema = {"SQL_HOST": HOST, "SQL_PORT": str(ports.postgres), "SQL_USER": "temporal"}
    inner = {name: str(port) for name, port in ports.inner.items()}
    server = {**server_variables(ports, root, shards), **inner}
    server["FRONTEND_GRPC_PORT"] = str(ports.temporal)
    namespace = {"TEMPORAL_ADDRESS": address, "NAMESPACE": NAMESPACE, "RETENTION": "2160h"}
    owner = {"ACQUIT_DATABASE_URL_FILE": str(secrets_dir / "acquit_owner_database_url")}

    def script(name: str, file: str, env: Mapping[str, str], *, once: bool = True) -> Process:
        argv = ("sh", str(deploy / file))
        return Process(name=name, argv=argv, env={**base, **env}, once=once, ours=False)

    bank = (
        *(sys.executable, "-m", "simulator", "--host", HOST, "--db", str(home / "bank.db")),
        *("--http-port", str(ports.simulator), "--smtp-port", str(ports.smtp)),
        *("--seed", str(seed), "--rails", str(home / RAIL_FILES[1])),
    )
    return (
        script("postgres-roles", "postgres/roles.sh", database),
        script("temporal-schema", "temporal-server/schema.sh", schema),
        script("temporal", "temporal-server/start.sh", server, once=False),
        script("temporal-namespace", "temporal-server/namespace.sh", namespace),
        Process(
            name="migrate",
            argv=(*acquit, "db", "upgrade", "--grant-to", APP_ROLE),
            env={**ours("worker-workflows"), **owner},
            once=True,
        ),
        Process(
            name="prune",
            argv=(*acquit, "db", "prune", "--days", "30", "--every-hours", "6"),
            env={**ours("worker-workflows"), **owner},
        ),
        Process(name="simulator", argv=bank, env=base),
        *(
            Process(
                name=name,
                argv=(*acquit, "worker", role),
                env=ours(name, ACQUIT_API_HOST=HOST, ACQUIT_API_PORT=str(ports.api)),
            )
            for name, role in WORKERS.items()
        ),
    )
