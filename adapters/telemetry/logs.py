"""Writes all logs of a worker process as JSON lines on standard error, redacted in one place.

Ours, the SDK's `workflow.logger` and `activity.logger`, its native core and every library write
through the standard library's `logging`; one handler renders them, and its last step but one is the
`Redactor`. Workflow modules never import structlog: their logger reaches it by this way. Lines of
workflows are rendered inside their sandbox, so nothing here imports anything or reads a file late.
"""

import json
import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from structlog.typing import Processor

from adapters.telemetry.redaction import Redactor

LINE_MOST = 16 * 1024
"""Most characters of one line; a longer one is replaced by a short one."""
CORE = "temporal.core"
"""Logger of the SDK's native core."""
_QUIET = {"httpx": logging.WARNING, "httpcore": logging.WARNING, "aiosqlite": logging.WARNING,
          "asyncio": logging.WARNING, "urllib3": logging.WARNING, "mail.log": logging.ERROR,
          "sqlalchemy": logging.WARNING, "aiosmtplib": logging.WARNING}  # fmt: skip
_RAW = ("temporal_log", "color_message")
_OURS = ("event", "level", "logger", "timestamp")


class SafeHandler(logging.StreamHandler[TextIO]):
    """Writes lines; one that cannot be rendered is reported without its arguments."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the library's name)
        """Say that a line was lost: the standard way would print its raw arguments."""
        kind = sys.exc_info()[0]
        reported = {
            "event": "a log line could not be written",
            "level": "error",
            "logger": record.name,
            "error": kind.__name__ if kind else "",
        }
        try:
            self.stream.write(json.dumps(reported) + self.terminator)
            self.flush()
        except (OSError, ValueError):
            return  # the stream itself is gone


def configure_logging(
    level: str, redactor: Redactor, stream: TextIO | None = None
) -> logging.Handler:
    """Send all logs of this process through the gate; gives the handler, for tests.

    Args:
        level: debug, info, warning or error.
        redactor: knows the secrets of this process.
        stream: standard error unless given.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = SafeHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            # Extra fields first: none of them may pass itself off as level, logger or time.
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _trace_ids,
                _Gate(redactor),
                _render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    _catch_strays()
    return handler


class _Gate:
    """Masks a whole event, its error included."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(
        self, _logger: object, _name: str, event: MutableMapping[str, Any]
    ) -> Mapping[str, Any]:
        fault = _fault(event.pop("exc_info", None))
        for name in _RAW:
            event.pop(name, None)
        head = {name: str(event.pop(name)) for name in _OURS if name in event}
        reported = {name: self._redactor.text(value, name) for name, value in head.items()}
        rest = self._redactor.mapping(event)
        error = {} if fault is None else {"error": self._redactor.error(fault)}
        return {**rest, **error, **reported}


def _fault(given: object) -> BaseException | None:
    match given:
        case BaseException():
            return given
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None


def _render(_logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
    line = json.dumps(event, ensure_ascii=False, default=lambda _: "[unprintable]")
    if len(line) <= LINE_MOST:
        return line
    short = {name: str(event.get(name, ""))[:500] for name in _OURS}
    return json.dumps({**short, "cut": len(line)}, ensure_ascii=False)


def _trace_ids(
    _logger: object, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Which trace a line belongs to, if any."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = trace.format_trace_id(context.trace_id)
        event["span_id"] = trace.format_span_id(context.span_id)
    return event


def _catch_strays() -> None:
    """Errors that nobody caught in a thread or a finalizer come through the gate as well."""
    log = logging.getLogger("acquit.strays")

    def in_thread(args: threading.ExceptHookArgs) -> None:
        log.error("a thread ended by an error", exc_info=args.exc_value)

    def in_finalizer(args: Any) -> None:  # noqa: ANN401  (a structure without a public type)
        log.error("an error that could not be raised", exc_info=args.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = in_finalizer
