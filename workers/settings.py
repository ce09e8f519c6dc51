"""All settings, read from the environment once. No other module looks at the environment for them.

Ours are `ACQUIT_*`; the connection to Temporal uses Temporal's own client variables and profile
file (`TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`, `TEMPORAL_TLS_*`). What neither
names is taken from the stack used last (`stack.json` in the home).
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.inputfile import open_bytes
from adapters.refusals import SourceRefused
from adapters.validation import faults_of
from domain.errors import InvalidInput
from workers.stackfile import StackRecord, file_url, read_stack, write_stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from temporalio.envconfig import ClientConnectConfig

    from adapters.telemetry.metrics import MetricsConfig
    from adapters.telemetry.tracing import TracingConfig

__all__ = [
    "Settings",
    "StackRecord",
    "load_settings",
    "metrics_config",
    "read_stack",
    "secrets_in",
    "temporal_config",
    "tracing_config",
    "write_stack",
]

_ROOT = Path(__file__).resolve().parents[1]
_SECRETS = (
    "database_url",
    "smtp_password",
    "sms_secret",
    "payload_keys",
    "codec_tokens",
)

_KEY_LEAST = 16
_PROFILES_MOST_BYTES = 1024 * 1024

Seconds = Annotated[float, Field(gt=0, le=3600)]
Slots = Annotated[int, Field(ge=1, le=1000)]
Secret = Annotated[SecretStr, Field(min_length=1)]
"""A secret; an empty one is refused, for it would prove nothing."""
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Everything that may differ between two installations; frozen."""

    model_config = SettingsConfigDict(
        env_prefix="ACQUIT_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    home: Path = Path(".acquit")
    """Where state lives: books of the sandbox, logs, `stack.json`."""
    database_url: SecretStr | None = None
    """SQLAlchemy URL of the books; the SQLite file of the home unless given."""
    products: Path = _ROOT / "examples" / "products"
    """Folder of product files, or one file."""

    ledger_timezone: str | None = None
    """Whose calendar day an entry is posted on, such as `Asia/Shanghai`; set it once. None: the
    simulated bank's zone in a sandbox, UTC elsewhere."""

    rails: Path | None = None
    """File with a table `[rails.<name>]` for each rail. None: the rails of the stack used last."""

    accounts: Path | None = None
    """File with a table `[accounts.<name>]` for each bank account. None: those that the products
    name, where every rail is simulated; else none."""

    sources: Path | None = None
    """File with a table `[sources.<name>]` for each bank account whose statements come from a
    folder or a server, or are expected by a certain hour. None: nothing of it."""

    case_policy: Path | None = None
    """File with owners and clocks of cases. None: the usual ones, see `domain.case.policy`."""

    statement_maps: Path | None = None
    """Folder of map files (`*.toml`) for statements that come as tables. None: tables are
    refused."""
    signing_key: Path | None = None
    """File with the Ed25519 key that signs checkpoints of the ledger; nobody but the user of the
    program may read it. None: nothing is signed."""
    access_key: Path | None = None
    """File with the key that second factors are encrypted with, 32 bytes; nobody but the user of
    the program may read it. None: `access.key` in the home, made when the first one is."""
    anchors: Path | None = None
    """File with a table `[anchors.<name>]` for each witness of checkpoints. None: there is none."""
    bureaus: Path | None = None
    """File with a table `[bureaus.<name>]` for each bureau, guarantor or agency that is told about
    loans. None: those of the simulator in a sandbox, else none."""
    rail_reports: Path | None = None
    """Folder with a report of the rails for each day, `YYYY-MM-DD.csv`. None: there are none."""
    payees: Path | None = None
    """File with a table `[payees.<party>]` for each payee. None: nothing is remitted."""

    smtp_host: str | None = None
    smtp_port: Port = 25
    smtp_user: str | None = None
    smtp_password: Secret | None = None
    smtp_starttls: bool = False
    mail_from: str = "repayments@localhost"
    sms_url: str | None = None
    """Base address of the carrier of text messages; None: text messages are not sent."""
    sms_secret: Secret | None = None
    """Bearer token of that carrier. It goes nowhere else, and no other secret goes there."""

    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port of the door for programs; 0 picks a free one."""

    health_host: str = "127.0.0.1"
    health_port: Port | None = None
    """Where `/healthz` and `/readyz` answer; None: nowhere."""

    tenant: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")] = "main"
    """In whose name production's daily sweep and healing run."""
    build_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    """Names this release to Temporal: drivers stay on the build that began them. None: any
    worker takes any task, as a sandbox wants it."""

    payload_keys: Secret | None = None
    """Encrypts what histories carry: lines of `id:base64`, the first encrypts. None: in clear."""
    codec_tokens: Secret | None = None
    """Who may decrypt for the Temporal UI: lines of `name:token`."""
    codec_host: str = "127.0.0.1"
    codec_port: Annotated[int, Field(ge=0, le=65535)] = 8234
    codec_origin: str = "http://127.0.0.1:8233"
    """Origin of the Temporal UI, the only page that may ask for decryption."""

    processes: Annotated[int, Field(ge=0, le=256)] = 1
    """Processes of one worker command, for roles without a web door; 0: one for each core."""
    workflow_cache: Annotated[int, Field(ge=0, le=100_000)] = 1000
    """Drivers that a workflow worker keeps in memory; others are replayed when they wake."""
    workflow_activities: Slots = 20
    books_activities: Slots = 5
    debit_activities: Slots = 20
    """Activities at once in one process: of workflow workers, of bulk work, of each rail."""
    debit_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Most debit activities a second on one rail's queue, of all processes; None: no limit."""

    request_timeout_s: Seconds = 20.0
    """The longest that a request to the carrier of text messages may take."""
    drain_timeout_s: Seconds = 50.0
    """How long a worker that is asked to stop may finish what it has begun."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    otlp_endpoint: str | None = None
    """Where traces and metrics are sent (OTLP over HTTP, base address); the standard `OTEL_*`
    variables do as well. Nothing is sent unless one of them says so."""
    prometheus: bool = False
    """Whether metrics can be read as text, at `/metrics` beside `/healthz`."""
    gauges_every_s: Seconds = 30.0
    """How often a `books` worker asks the books how much waits, where metrics are wanted."""
    verify_every_h: Annotated[float, Field(gt=0, le=744)] | None = None
    """How often it reads the whole journal back besides; None: never."""

    @field_validator("ledger_timezone")
    @classmethod
    def _zone_is_known(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ZoneInfo(value)
            except (ZoneInfoNotFoundError, ValueError, OSError):
                raise ValueError("a name of the IANA time zone database") from None
        return value

    @model_validator(mode="after")
    def _mail_login_is_whole(self) -> Self:
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("smtp_user and smtp_password are given together or not at all")
        return self

    @model_validator(mode="after")
    def _sms_carrier_has_its_secret(self) -> Self:
        if self.sms_url is not None and self.sms_secret is None:
            raise ValueError("sms_secret is given with sms_url; no other secret is sent there")
        return self

    @property
    def logs(self) -> Path:
        """Folder of log files."""
        return self.home / "logs"

    def books_url(self, stack: StackRecord | None = None) -> str:
        """URL of the books: as set, else the stack's, else the SQLite file of the home."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if stack is not None:
            return stack.database_url
        return file_url(self.home / "books.db")


def load_settings(home: Path | None = None) -> Settings:
    """Settings from the environment; `home` (of the command line) wins over ACQUIT_HOME.

    Raises:
        SourceRefused: every faulty setting at once, secrets not shown.
    """
    try:
        return Settings() if home is None else Settings(home=home)
    except ValidationError as error:
        faults = faults_of(error, _SECRETS)
        named = [InvalidInput(_variable(item.field), item.value, item.rule) for item in faults]
        raise SourceRefused("environment", named) from None


def _variable(field: str) -> str:
    return f"ACQUIT_{field.upper()}" if field in Settings.model_fields else "ACQUIT_*"


def environment(**more: str) -> dict[str, str]:
    """The environment as it is handed on to programs that we start, with `more` added."""
    return {**os.environ, **more}


def temporal_config(
    stack: StackRecord | None, environ: Mapping[str, str] | None = None
) -> ClientConnectConfig:
    """Arguments of `Client.connect`: Temporal's own variables first, then the stack's address.

    Raises:
        InvalidInput: the stack is that of the folder which this home was copied from; an API key
            without an address, which would be sent to a server that it is not of; or a profile or
            address that is none.
        SourceRefused: the profile file that is named is no regular one.
    """
    from temporalio.envconfig import ClientConfig  # noqa: PLC0415  (slow; most commands need none)

    given = dict(os.environ if environ is None else environ)
    file = given.get("TEMPORAL_CONFIG_FILE", "")
    if os.path.lexists(file):  # one that is not there is no profile, as for Temporal's own tools
        open_bytes(Path(file), _PROFILES_MOST_BYTES).close()
    try:
        config = ClientConfig.load_client_connect_config(override_env_vars=given)
    except RuntimeError as error:  # its first line only: the others quote the file
        profile = given.get("TEMPORAL_PROFILE", "")
        rule = f"a profile that can be read: {str(error).partition(chr(10))[0]}"
        raise InvalidInput("TEMPORAL_PROFILE", profile, rule) from None
    if "api_key" in config and "target_host" not in config:
        rule = "must be given with an API key, which goes to the server that it belongs to only"
        raise InvalidInput("TEMPORAL_ADDRESS", "", rule)
    if "target_host" not in config and stack is not None:
        stack.must_be_of_this_home()
        config["target_host"] = stack.temporal_address
        config.setdefault("namespace", stack.temporal_namespace)
    config.setdefault("target_host", "localhost:7233")
    config.setdefault("namespace", "default")
    if not _is_host_and_port(config["target_host"]):
        raise InvalidInput("TEMPORAL_ADDRESS", config["target_host"], "HOST:PORT")
    return config


def _is_host_and_port(address: str) -> bool:
    try:
        parts = urlsplit(f"//{address}")
        return bool(parts.hostname and parts.port) and parts.netloc == address
    except ValueError:
        return False


def secrets_in(settings: Settings, stack: StackRecord | None) -> tuple[str, ...]:
    """Every secret that this process knows, for masking: settings, rails, stack, database."""
    given = [getattr(settings, name) for name in Settings.model_fields]
    held = [value.get_secret_value() for value in given if isinstance(value, SecretStr)]
    held += stack.secrets.values() if stack is not None else ()
    if settings.rails is not None:
        held += _rail_secrets(settings.rails)
    if settings.sources is not None:
        held += _source_secrets(settings.sources)
    held.append(os.environ.get("TEMPORAL_API_KEY", ""))
    # Lists of keys and tokens: each by itself, for that is how one would turn up.
    lists = " ".join(text for text in held if "://" not in text)
    held += [part for part in re.split(r"[\s,;:]+", lists) if len(part) >= _KEY_LEAST]
    with suppress(ValueError):  # an address that cannot be read is refused where it is used
        held.append(urlsplit(settings.books_url(stack)).password or "")
    return tuple(filter(None, [*held, *(unquote(secret) for secret in held)]))


def _rail_secrets(path: Path) -> list[str]:
    from workers.rails import read_rails  # noqa: PLC0415  (loads the adapters of rails)

    with suppress(SourceRefused):  # a file that is faulty is refused where it is used
        logins = [entry.login for entry in read_rails(path).values()]
        return [secret for login in logins if login for secret in login.secrets.values()]
    return []


def _source_secrets(path: Path) -> list[str]:
    from workers.sourcesfile import secrets_of  # noqa: PLC0415  (loads the calendars)

    with suppress(SourceRefused):  # a file that is faulty is refused where it is used
        return secrets_of(path)
    return []


def tracing_config(
    settings: Settings, role: str, environ: Mapping[str, str] | None = None
) -> TracingConfig | None:
    """Where traces go: ACQUIT_OTLP_ENDPOINT, else OpenTelemetry's own variables; None: nowhere.

    Headers, certificates, compression, time-outs and sampling are read by the library itself from
    its standard variables.

    Raises:
        InvalidInput: traces are asked for in a way that this build does not speak.
    """
    given = dict(os.environ if environ is None else environ)
    endpoint = _otlp_endpoint("TRACES", settings, given, {"otlp"})
    if endpoint is None:
        return None
    from adapters.telemetry.tracing import TracingConfig  # noqa: PLC0415  (loads the SDK)

    return TracingConfig(endpoint, given.get("OTEL_SERVICE_NAME", "acquit"), role)


def metrics_config(
    settings: Settings, role: str, environ: Mapping[str, str] | None = None
) -> MetricsConfig | None:
    """Where metrics go: as traces do, and ACQUIT_PROMETHEUS; None: nowhere.

    Raises:
        InvalidInput: metrics are asked for in a way that this build does not speak, or to be read
            where nothing is served.
    """
    given = dict(os.environ if environ is None else environ)
    endpoint = _otlp_endpoint("METRICS", settings, given, {"otlp", "prometheus"})
    read = settings.prometheus or "prometheus" in _exporters("METRICS", given)
    read = read and not _is_off(given)
    if endpoint is None and not read:
        return None
    if read and settings.health_port is None:
        raise InvalidInput("ACQUIT_HEALTH_PORT", "", "a port, for /metrics is read there")
    from adapters.telemetry.metrics import MetricsConfig  # noqa: PLC0415  (loads the SDK)

    return MetricsConfig(endpoint, read, given.get("OTEL_SERVICE_NAME", "acquit"), role)


def _exporters(signal: str, given: Mapping[str, str]) -> set[str]:
    words = given.get(f"OTEL_{signal}_EXPORTER", "").lower().split(",")
    return {word.strip() for word in words} - {""}


def _is_off(given: Mapping[str, str]) -> bool:
    return given.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"


def _otlp_endpoint(
    signal: str, settings: Settings, given: Mapping[str, str], spoken: set[str]
) -> str | None:
    """The whole address that one kind of signal is sent to; None: it is not sent."""
    wanted = _exporters(signal, given)
    if _is_off(given) or "none" in wanted:
        return None
    if wanted - spoken:
        raise InvalidInput(f"OTEL_{signal}_EXPORTER", ",".join(wanted), ", ".join(sorted(spoken)))
    own = f"OTEL_EXPORTER_OTLP_{signal}"
    whole = given.get(f"{own}_ENDPOINT")
    base = settings.otlp_endpoint or (None if whole else given.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
    if (wanted and "otlp" not in wanted) or not (base or whole or wanted):
        return None
    protocol = given.get(f"{own}_PROTOCOL") or given.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol not in {None, "http/protobuf"}:
        raise InvalidInput("OTEL_EXPORTER_OTLP_PROTOCOL", protocol, "http/protobuf")
    if base or not whole:
        whole = f"{(base or 'http://localhost:4318').rstrip('/')}/v1/{signal.lower()}"
    if not whole.startswith(("http://", "https://")):
        raise InvalidInput("ACQUIT_OTLP_ENDPOINT", whole.partition(":")[0], "http:// or https://")
    return whole
