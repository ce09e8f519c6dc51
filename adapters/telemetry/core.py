"""Sets up the Temporal SDK's own logs: context in fields, the native core at WARN."""

import logging

from temporalio import activity, workflow
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    MetricBuffer,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from adapters.telemetry.logs import CORE


def keep_context_in_fields() -> None:
    """Workflow and activity context is a field of the line, not a part of its message."""
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


def core_runtime(metrics: MetricBuffer | None = None) -> Runtime:
    """A runtime whose native core logs warnings and errors through our handler, as JSON.

    One per process. Forwarded and not printed by itself, because its messages quote errors.
    `metrics`: a buffer that somebody drains; None: the core measures nothing.
    """
    forwarding = LogForwardingConfig(
        logger=logging.getLogger(CORE),
        append_target_to_name=False,
        prepend_target_on_message=True,
        append_log_fields_to_message=True,
    )
    levels = TelemetryFilter(core_level="WARN", other_level="ERROR")
    logs = LoggingConfig(filter=levels, forwarding=forwarding)
    return Runtime(telemetry=TelemetryConfig(logging=logs, metrics=metrics))
