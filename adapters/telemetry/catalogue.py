"""The catalogue of our metrics: name, unit, kind, help, labels and the values they take.

Nothing is measured under a name that is not here, and no label takes a value that is not here: an
unknown value becomes `other`. So no person's name can become a label, and the number of series does
not grow with the loans. Labels whose values belong to an installation (its rails, its time zones)
have none here; they are filled in at start-up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.case.kinds import CaseKind
from domain.debit.attempt import AttemptState
from domain.debit.outcome import OutcomeClass
from domain.loan.lifecycle import State
from domain.loan.view import ActionKind
from domain.loanclosure.lifecycle import ClosureState
from domain.payout.lifecycle import PAYOUT_FINAL, PayoutState
from domain.registry import HANDLERS

OTHER = "other"
"""The value of any label for a value that the catalogue does not know."""
NONE = "none"


class Kind(StrEnum):
    """How a metric counts."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Label:
    """A label and all values that it may take; empty where the installation sets them."""

    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `unit` as UCUM writes it: `s`, or what is counted in braces."""

    name: str
    unit: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def exposed(self) -> str:
        """Its name in Prometheus, before the suffixes of histograms."""
        seconds = "_seconds" if self.unit == "s" else ""
        total = "_total" if self.kind is Kind.COUNTER else ""
        return self.name.replace(".", "_") + seconds + total

    @property
    def series(self) -> tuple[str, ...]:
        """Every name under which Prometheus keeps it."""
        suffixes = ("_bucket", "_count", "_sum") if self.kind is Kind.HISTOGRAM else ("",)
        return tuple(self.exposed + suffix for suffix in suffixes)


STATE = Label("state", tuple(state.value for state in State))
CLOSURE = Label("state", tuple(state.value for state in ClosureState))
PAYOUT_STATE = Label(
    "state", tuple(state.value for state in PayoutState if state not in PAYOUT_FINAL)
)
ATTEMPT = Label("state", tuple(state.value for state in AttemptState))
OUTCOME = Label("outcome", (*(outcome_class.value for outcome_class in OutcomeClass), NONE))
ACTION = Label("action", tuple(kind.value for kind in ActionKind))
TOPIC = Label("topic", ("open", "wake", "notice", "case_notice"))
DELIVERY = Label("result", ("delivered", "failed"))
COMMAND = Label(
    "command",
    tuple(sorted(str(one.__dataclass_fields__["kind"].default) for one in HANDLERS)),
)
ANSWER = Label("answer", ("applied", "refused", "replayed", "failed"))
CASE = Label("case", tuple(sorted(kind.value for kind in CaseKind)))
CHECK = Label("check", ("balance", "chain", "journal"))
WEBHOOK = Label(
    "result",
    (
        "outcome",
        "return",
        "delivery_report",
        "unparsed",
        "forged",
        "no_rail",
        "too_large",
        "too_slow",
        "cut",
    ),
)
RAIL = Label("rail")
ZONE = Label("timezone")

_COMMITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_GROUPS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)

# --- counted where it happens, in every process ---------------------------------------------------

COMMANDS = Metric(
    "acquit.commands", "{command}", Kind.COUNTER, "Commands that the books answered.",
    (COMMAND, ANSWER),
)  # fmt: skip
COMMIT_DURATION = Metric(
    "acquit.books.commit.duration", "s", Kind.HISTOGRAM,
    "From asking for a connection to the commit, of each transaction of the books.", (), _COMMITS,
)  # fmt: skip
GROUP_SIZE = Metric(
    "acquit.books.group.size", "{command}", Kind.HISTOGRAM,
    "Commands that shared a transaction.", (), _GROUPS,
)  # fmt: skip
ATTEMPTS = Metric(
    "acquit.attempts", "{attempt}", Kind.COUNTER,
    "Attempts to debit that came into a state, by the outcome that brought them there.",
    (RAIL, ATTEMPT, OUTCOME),
)  # fmt: skip
DELIVERIES = Metric(
    "acquit.outbox.deliveries", "{delivery}", Kind.COUNTER,
    "Tries to deliver a message of the outbox.", (TOPIC, DELIVERY),
)  # fmt: skip
DELIVERY_DURATION = Metric(
    "acquit.outbox.delivery.duration", "s", Kind.HISTOGRAM,
    "How long a try to deliver took.", (TOPIC,), _COMMITS,
)  # fmt: skip
WEBHOOKS = Metric(
    "acquit.webhooks", "{webhook}", Kind.COUNTER,
    "Webhooks received from rails, by result.", (RAIL, WEBHOOK),
)  # fmt: skip

# --- read from the books by one kind of worker ----------------------------------------------------

INSTALLMENTS = Metric(
    "acquit.installments", "{installment}", Kind.GAUGE, "Installments in a state.", (STATE,)
)
INSTALLMENTS_AGE = Metric(
    "acquit.installments.age", "s", Kind.GAUGE,
    "How long the installment that has been longest in a state has been in it.", (STATE,),
)  # fmt: skip
CLOSURES = Metric(
    "acquit.closures", "{closure}", Kind.GAUGE, "Closures of loans in a state.", (CLOSURE,)
)
CLOSURES_AGE = Metric(
    "acquit.closures.age", "s", Kind.GAUGE,
    "How long the closure that has been longest in a state has been in it.", (CLOSURE,),
)  # fmt: skip
PAYOUTS = Metric(
    "acquit.payouts", "{payout}", Kind.GAUGE,
    "Remittances and refunds in a state that is not final.", (PAYOUT_STATE,),
)  # fmt: skip
PAYOUTS_AGE = Metric(
    "acquit.payouts.age", "s", Kind.GAUGE,
    "How long the payout that has been longest in a state has been in it.", (PAYOUT_STATE,),
)  # fmt: skip
UNKNOWN = Metric(
    "acquit.attempts.unknown", "{attempt}", Kind.GAUGE,
    "Attempts whose outcome is unknown.", (RAIL,),
)  # fmt: skip
UNKNOWN_AGE = Metric(
    "acquit.attempts.unknown.age", "s", Kind.GAUGE,
    "How long the oldest unknown attempt has been one.", (RAIL,),
)  # fmt: skip
ACTIONS = Metric(
    "acquit.actions.late", "{action}", Kind.GAUGE,
    "Actions of drivers that have been due for a minute or more.", (ACTION,),
)  # fmt: skip
ACTIONS_AGE = Metric(
    "acquit.actions.late.age", "s", Kind.GAUGE,
    "How long the most overdue action has been due.", (ACTION,),
)  # fmt: skip
OUTBOX = Metric(
    "acquit.outbox.messages", "{message}", Kind.GAUGE,
    "Messages that may leave and have not been delivered.", (TOPIC,),
)  # fmt: skip
OUTBOX_AGE = Metric(
    "acquit.outbox.age", "s", Kind.GAUGE,
    "How long the oldest message has been waiting to leave.", (TOPIC,),
)  # fmt: skip
INBOX = Metric(
    "acquit.inbox.files", "{file}", Kind.GAUGE,
    "Statement files that are kept and have not been read to their end.",
)  # fmt: skip
INBOX_AGE = Metric(
    "acquit.inbox.age", "s", Kind.GAUGE, "How long the oldest such file has been kept."
)
CASES = Metric("acquit.cases", "{case}", Kind.GAUGE, "Open cases.", (CASE,))
CASES_AGE = Metric(
    "acquit.cases.age", "s", Kind.GAUGE, "How long the oldest open case has been open.", (CASE,)
)
SWEEP = Metric(
    "acquit.sweep.loans", "{loan}", Kind.GAUGE,
    "Loans that the daily sweep has still to roll into a day that has begun.", (ZONE,),
)  # fmt: skip
SWEEP_AGE = Metric(
    "acquit.sweep.age", "s", Kind.GAUGE,
    "How long ago the oldest day began that is not rolled for every loan.", (ZONE,),
)  # fmt: skip
FAULTS = Metric(
    "acquit.books.faults", "{fault}", Kind.GAUGE,
    "What is wrong with the books: currencies out of balance, numbers missing at the chain's end,"
    " and what reading the whole journal found.",
    (CHECK,),
)  # fmt: skip
READING = Metric(
    "acquit.gauges.duration", "s", Kind.HISTOGRAM,
    "How long a reading of these gauges took.", (), _COMMITS,
)  # fmt: skip

METRICS = (
    COMMANDS, COMMIT_DURATION, GROUP_SIZE, ATTEMPTS, DELIVERIES, DELIVERY_DURATION, WEBHOOKS,
    INSTALLMENTS, INSTALLMENTS_AGE, CLOSURES, CLOSURES_AGE, PAYOUTS, PAYOUTS_AGE,
    UNKNOWN, UNKNOWN_AGE, ACTIONS, ACTIONS_AGE, OUTBOX, OUTBOX_AGE,
    INBOX, INBOX_AGE, CASES, CASES_AGE, SWEEP, SWEEP_AGE, FAULTS, READING,
)  # fmt: skip
"""All of our own."""

# --- the Temporal SDK's own -----------------------------------------------------------------------

WORKFLOW_TYPE = Label(
    "workflow_type",
    (
        "AuditDay",
        "BoardLoan",
        "Case",
        "DailySweep",
        "Heal",
        "Installment",
        "Payout",
        "LoanClosure",
        "Seal",
        "Statement",
        "WatchStatements",
    ),
)
ACTIVITY_TYPE = Label(
    "activity_type",
    (
        "auditing.audit_day",
        "boarding.board",
        "cases.act",
        "cases.sweep",
        "debits.inquire",
        "debits.present",
        "healing.heal",
        "sealing.seal",
        "statements.watch",
        "installments.remind",
        "installments.review",
        "closures.ask",
        "closures.end_mandate",
        "closures.issue",
        "closures.request",
        "closures.review",
        "closures.seal",
        "closures.tell",
        "payouts.escalate",
        "payouts.inquire",
        "payouts.instruct",
        "payouts.learn",
        "payouts.remit",
        "payouts.review",
        "statements.book",
        "statements.survey",
        "subjects.ask",
        "subjects.look",
        "subjects.order",
        "sweeps.collect",
        "sweeps.deliver",
        "sweeps.roll",
    ),
)
QUEUE = Label("task_queue")
CORE_LABELS = (
    WORKFLOW_TYPE,
    ACTIVITY_TYPE,
    QUEUE,
    Label("poller_type", ("workflow_task", "sticky_workflow_task", "activity_task", "nexus_task")),
    Label(
        "worker_type",
        ("WorkflowWorker", "ActivityWorker", "LocalActivityWorker", "NexusWorker"),
    ),
    Label(
        "failure_reason",
        (
            "NonDeterminismError",
            "WorkflowError",
            "ActivityError",
            "ApplicationError",
            "BenignApplicationError",
            "Timeout",
        ),
    ),
    Label(
        "operation",
        (
            "GetSystemInfo",
            "DescribeNamespace",
            "PollWorkflowTaskQueue",
            "PollActivityTaskQueue",
            "RespondWorkflowTaskCompleted",
            "RespondWorkflowTaskFailed",
            "RespondActivityTaskCompleted",
            "RespondActivityTaskFailed",
            "RecordActivityTaskHeartbeat",
            "RecordWorkerHeartbeat",
            "GetWorkflowExecutionHistory",
            "StartWorkflowExecution",
            "SignalWorkflowExecution",
            "SignalWithStartWorkflowExecution",
            "DescribeWorkflowExecution",
            "DescribeTaskQueue",
            "ShutdownWorker",
        ),
    ),
    Label("eager", ("true", "false")),
)
"""The only labels of the SDK's metrics that we export. Anybody who reaches our queues may start a
workflow of any name, and the SDK would make a label of it."""


def _core(name: str, kind: Kind, text: str, unit: str = "") -> Metric:
    return Metric(f"temporal_{name}", unit, kind, text)


WORKFLOW_FAILED = _core("workflow_failed", Kind.COUNTER, "Workflows that ended in a failure.")
CORE = (
    _core("workflow_task_execution_failed", Kind.COUNTER, "Workflow tasks that failed."),
    WORKFLOW_FAILED,
    _core("activity_execution_failed", Kind.COUNTER, "Tries of activities that failed."),
    _core("request_failure", Kind.COUNTER, "Requests to the server that failed."),
    _core("num_pollers", Kind.GAUGE, "Pollers that are at work."),
    _core("worker_task_slots_available", Kind.GAUGE, "Tasks that could be taken in addition."),
    _core("sticky_cache_size", Kind.GAUGE, "Drivers kept in memory."),
    _core(
        "workflow_task_schedule_to_start_latency",
        Kind.HISTOGRAM,
        "How long workflow tasks wait for a worker.",
        "s",
    ),
    _core(
        "activity_schedule_to_start_latency",
        Kind.HISTOGRAM,
        "How long activities wait for a worker.",
        "s",
    ),
    _core(
        "activity_execution_latency", Kind.HISTOGRAM, "How long tries of activities take.", "s"
    ),
)  # fmt: skip
"""Those of the Temporal SDK that dashboards and alerts rely on; all of its others leave as well."""
