"""Whatever logs in a worker comes out as one JSON line, past the gate."""

import logging
import sys
import threading
import warnings

import pytest
import structlog
from temporalio import activity, workflow
from temporalio.testing import ActivityEnvironment

from adapters.telemetry.core import core_runtime, keep_context_in_fields
from adapters.telemetry.logs import CORE, LINE_MOST
from adapters.telemetry.redaction import Redactor
from tests.adapters.telemetry import canaries
from tests.adapters.telemetry.canaries import ALL, EMAIL, NAME, PHONE, SECRET, found_in
from tests.adapters.telemetry.conftest import Caught, Spans
from workers.settings import Settings, load_settings, secrets_in
from workers.stackfile import StackRecord


def test_structlog_and_stdlib_come_out_alike(logs: Caught) -> None:
    """Event, level, logger and time on every line; fields as fields."""
    structlog.get_logger("adapters.intake").warning("report_of_unknown_type", rail="simbank")
    # A name of nobody's: servers of other tests in this process have set levels of their own.
    logging.getLogger("somebody.else").error("served %s of %d", "a", 2, extra={"port": 8080})
    first, second = logs.lines
    assert (first["event"], first["level"], first["logger"]) == (
        "report_of_unknown_type", "warning", "adapters.intake",
    )  # fmt: skip
    assert first["rail"] == "simbank"
    assert (second["event"], second["port"]) == ("served a of 2", 8080)
    assert str(second["timestamp"]).endswith("Z")


def refuse(key: str, value: str) -> None:
    """Fail with a value in the message."""
    raise ValueError(f"{key}: {value!r} is refused")


def test_no_canary_gets_into_a_log_by_any_way(logs: Caught) -> None:
    """Messages, arguments, fields, names of fields, nested objects, errors and their causes."""
    log, struct = logging.getLogger("x"), structlog.get_logger("y")
    for name, value in ALL.items():
        key = "holder" if "name" in name else "note"
        log.warning("%s=%s", key, value)
        log.warning("got %r", f"{value} ")
        log.error("field", extra={key: value, "deep": {key: [value], "password": value}})
        struct.info("reported", **{key: value, "many": [{key: value}]})
        try:
            refuse(key, value)
        except ValueError:
            log.exception("failed with %s=%s", key, value)
            struct.exception("failed", **{key: value})
        log.error("later", exc_info=KeyError(f"{value} "))
    assert len(logs.lines) == 7 * len(ALL)
    assert found_in(logs.text) == set()


def test_settings_are_logged_without_their_secrets(
    logs: Caught, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets of settings, of the stack and of the database's address are known by value."""
    monkeypatch.setenv("ACQUIT_SMTP_PASSWORD", "smtp-canary-1")
    monkeypatch.setenv("ACQUIT_SMTP_USER", "mailer")
    monkeypatch.setenv("ACQUIT_DATABASE_URL", "postgresql+asyncpg://acquit:p%40ss-canary@db/books")
    monkeypatch.setenv("TEMPORAL_API_KEY", "temporal-canary-key")
    monkeypatch.setenv("ACQUIT_SMS_SECRET", "k1:first-canary-key-1,k2:second-canary-key")
    settings = load_settings()
    record = StackRecord(
        mode="sandbox", database_url="x", temporal_address="t:1", secrets={"k": "stack-canary"}
    )
    known = secrets_in(settings, record)
    assert {"smtp-canary-1", "p@ss-canary", "p%40ss-canary", "stack-canary"} <= set(known)
    assert {"temporal-canary-key", "first-canary-key-1", "second-canary-key"} <= set(known)
    text = Redactor(known).text(" / ".join(known))
    assert "canary" not in text
    logging.getLogger("x").info("settings %s", settings, extra={"all": settings.model_dump()})
    assert "canary" not in logs.text
    assert isinstance(settings, Settings)


async def test_loggers_of_the_sdk_bring_their_context_as_fields(logs: Caught) -> None:
    """Workflow and activity id stand beside the message, not in it."""
    keep_context_in_fields()

    def work() -> None:
        activity.logger.warning("rail %s is away", "simbank")

    ActivityEnvironment().run(work)
    [line] = logs.lines
    assert line["event"] == "rail simbank is away"
    reported = line["temporal_activity"]
    assert isinstance(reported, dict)
    assert reported["workflow_id"] == "test"
    assert workflow.logger.workflow_info_on_message is False


def test_core_of_the_sdk_logs_through_the_same_gate(logs: Caught) -> None:
    """Its runtime is made with forwarding; what it forwards is masked and loses its raw record."""
    assert core_runtime() is not None
    logging.getLogger(CORE).warning("call failed {'mail': '%s'}", EMAIL, extra={"temporal_log": 1})
    [line] = [line for line in logs.lines if line["logger"] == CORE]
    assert EMAIL not in str(line)
    assert "temporal_log" not in line


def test_line_belongs_to_its_trace(logs: Caught, spans: Spans) -> None:
    """Inside a span a line carries its ids, outside none."""
    with spans.tracer.start_as_current_span("work"):
        logging.getLogger("x").info("in")
    logging.getLogger("x").info("out")
    inside, outside = logs.lines
    context = spans.named("work").context
    assert context is not None
    assert inside["trace_id"] == f"{context.trace_id:032x}"
    assert "trace_id" not in outside


def test_lines_are_bounded(logs: Caught) -> None:
    """A very wide event is reported in short."""
    logging.getLogger("x").info("wide", extra={f"f{i}": "ab " * 900 for i in range(40)})
    [line] = logs.lines
    assert len(logs.text) < LINE_MOST
    assert line["event"] == "wide"
    assert isinstance(line["cut"], int)


def test_line_that_cannot_be_written_does_not_show_its_arguments(
    logs: Caught, capsys: pytest.CaptureFixture[str]
) -> None:
    """The standard library would print message and arguments raw on standard error."""
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%d installments", (NAME,), None)
    logs.handler.handle(record)
    [line] = logs.lines
    assert line["event"] == "a log line could not be written"
    assert found_in(logs.text + capsys.readouterr().err) == set()


def test_field_cannot_pass_itself_off_as_the_head_of_a_line(logs: Caught) -> None:
    """Level, logger and time are the line's own."""
    logging.getLogger("x").warning("real", extra={"level": "debug", "timestamp": "never"})
    [line] = logs.lines
    assert line["level"] == "warning"
    assert line["timestamp"] != "never"


@pytest.mark.filterwarnings("default")
def test_warnings_and_errors_of_threads_and_finalizers_come_through(
    logs: Caught, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed raw past the handler."""

    def fall() -> None:
        raise ValueError(f"phone={PHONE}")

    hook, unraisable = threading.excepthook, sys.unraisablehook
    try:
        fall()
    except ValueError as error:
        hook(threading.ExceptHookArgs((ValueError, error, None, None)))
        unraisable(type("Args", (), {"exc_value": error})())
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.getLogger("py.warnings").warning("%s", f"secret={SECRET}")
    assert len(logs.lines) == 3
    assert found_in(logs.text + capsys.readouterr().err) == set()
    assert canaries.PHONE not in logs.text
