"""The dashboard as code: prints `acquit.json`, which Grafana takes from this folder.

    python deploy/dashboards/build.py > deploy/dashboards/acquit.json

Several workers of a role say the same of the books, hence `max`; a sum over labels is taken within
one `instance` first. What is counted where it happens is summed over all.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

SOURCE = {"type": "prometheus", "uid": "prometheus"}
WIDTH = 24
RATE = "[$__rate_interval]"
Targets = tuple[tuple[str, str], ...]


@dataclass
class Board:
    """Panels from left to right, row by row."""

    panels: list[dict[str, Any]] = field(default_factory=list)
    x: int = 0
    y: int = 0
    height: int = 0

    def section(self, title: str) -> None:
        """Begin a part of the page."""
        self._place({"type": "row", "title": title, "collapsed": False, "panels": []}, WIDTH, 1)

    def figure(
        self, title: str, width: int, *targets: tuple[str, str], unit: str = "short",
        alarm: float | None = None, text: str = "",
    ) -> None:  # fmt: skip
        """One number, as it is now."""
        options = {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value" if alarm is None else "background",
        }
        self._panel("stat", title, width, 5, targets, _defaults(unit, alarm), options, text)

    def lines(
        self, title: str, width: int, *targets: tuple[str, str], unit: str = "short",
        alarm: float | None = None, stacked: bool = False,
    ) -> None:  # fmt: skip
        """How something goes over time; `alarm` draws the line above which an alert is near."""
        defaults = _defaults(unit, alarm)
        defaults["custom"] = {
            "fillOpacity": 20 if stacked else 0,
            "stacking": {"mode": "normal" if stacked else "none"},
            "thresholdsStyle": {"mode": "off" if alarm is None else "line"},
        }
        options = {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
        self._panel("timeseries", title, width, 8, targets, defaults, options)

    def _panel(
        self, kind: str, title: str, width: int, height: int, targets: Targets,
        defaults: dict[str, Any], options: dict[str, Any], text: str = "",
    ) -> None:  # fmt: skip
        panel = {
            "type": kind,
            "title": title,
            "description": text,
            "datasource": SOURCE,
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": options,
            "targets": [
                {"refId": chr(65 + at), "datasource": SOURCE, "expr": query, "legendFormat": legend}
                for at, (query, legend) in enumerate(targets)
            ],
        }
        self._place(panel, width, height)

    def _place(self, panel: dict[str, Any], width: int, height: int) -> None:
        if self.x + width > WIDTH:
            self.x, self.y, self.height = 0, self.y + self.height, 0
        place = {"x": self.x, "y": self.y, "w": width, "h": height}
        self.panels.append({"id": len(self.panels) + 1, "gridPos": place, **panel})
        self.x, self.height = self.x + width, max(self.height, height)


def _defaults(unit: str, alarm: float | None) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": unit, "min": 0}
    if alarm is not None:
        steps = [{"color": "green", "value": None}, {"color": "red", "value": alarm}]
        defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    return defaults


def _quantile(part: float, metric: str, *by: str) -> str:
    labels = ", ".join(("le", *by))
    return f"histogram_quantile({part}, sum by ({labels}) (rate({metric}_bucket{RATE})))"


def _rate(metric: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) (rate({metric}{RATE}))"


def money(board: Board) -> None:
    """What is owed, taken and proven."""
    paid = '{state=~"CLEARING|SETTLED|RELEASED"}'
    board.section("Money")
    board.figure(
        "Oldest unknown debit", 4, ("max(acquit_attempts_unknown_age_seconds)", ""), unit="s",
        alarm=4 * 3600, text="Ended by evidence or by a person, never by time.",
    )  # fmt: skip
    unknown = "max(sum by (instance) (acquit_attempts_unknown))"
    board.figure("Unknown debits", 4, (unknown, ""))
    waiting = f"max(sum by (instance) (acquit_installments{paid}))"
    board.figure("Paid and not closed", 4, (waiting, ""))
    board.figure(
        "Longest paid and not closed", 4, (f"max(acquit_installments_age_seconds{paid})", ""),
        unit="s", alarm=12 * 86400, text="In its present state.",
    )  # fmt: skip
    board.figure(
        "Faults of the books", 4, ("max by (check) (acquit_books_faults)", "{{check}}"), alarm=1
    )
    board.figure("Open cases", 4, ("max(sum by (instance) (acquit_cases))", ""))
    states = ("max by (state) (acquit_installments)", "{{state}}")
    board.lines("Installments by state", 12, states, stacked=True)
    moving = '{state=~"DUE|PRESENTED|IN_DOUBT|RETRYING|CLEARING|SETTLED|RELEASED"}'
    ages = (f"max by (state) (acquit_installments_age_seconds{moving})", "{{state}}")
    board.lines("Longest time in a state", 12, ages, unit="s")
    closing = ("max by (state) (acquit_closures)", "{{state}}")
    board.lines("Closures of loans by state", 12, closing, stacked=True)
    leaving = ("max by (state) (acquit_payouts)", "{{state}}")
    board.lines("Payouts by state", 6, leaving, stacked=True)
    longest = ("max by (state) (acquit_payouts_age_seconds)", "{{state}}")
    board.lines("Longest time of a payout in a state", 6, longest, unit="s")
    ended = _rate('acquit_attempts_total{state!~"INTENDED|ACCEPTED"}', "rail", "outcome")
    board.lines(
        "Attempts that ended, by rail and outcome", 12, (ended, "{{rail}} {{outcome}}"),
        unit="cps", stacked=True,
    )  # fmt: skip
    unanswered = 'sum by (rail) (rate(acquit_attempts_total{state="UNKNOWN"}[30m]))'
    sent = 'sum by (rail) (rate(acquit_attempts_total{state="INTENDED"}[30m]))'
    board.lines(
        "Share of debits without an answer", 6, (f"{unanswered} / {sent}", "{{rail}}"),
        unit="percentunit", alarm=0.2,
    )  # fmt: skip
    board.lines(
        "Open cases by kind", 6, ("max by (case) (acquit_cases)", "{{case}}"),
        ("max by (case) (acquit_cases_age_seconds) / 86400", "{{case}}: days of the oldest"),
    )  # fmt: skip


def flow(board: Board) -> None:
    """What is to leave, to come in and to be done in time."""
    board.section("Flow")
    board.lines("Actions late", 6, ("max by (action) (acquit_actions_late)", "{{action}}"))
    latest = ("max by (action) (acquit_actions_late_age_seconds)", "{{action}}")
    board.lines("Latest action", 6, latest, unit="s", alarm=900)
    oldest = ("max by (topic) (acquit_outbox_age_seconds)", "{{topic}}")
    board.lines("Outbox: oldest message", 6, oldest, unit="s", alarm=900)
    board.lines(
        "Outbox: messages waiting, tries a second", 6,
        ("max by (topic) (acquit_outbox_messages)", "{{topic}} waiting"),
        (_rate("acquit_outbox_deliveries_total", "topic", "result"), "{{topic}} {{result}}"),
    )  # fmt: skip
    board.lines(
        "Inbox: statements not read", 6, ("max(acquit_inbox_files)", "files"),
        ("max(acquit_inbox_age_seconds) / 3600", "hours of the oldest"),
    )  # fmt: skip
    board.lines(
        "Daily sweep: loans left", 6, ("max by (timezone) (acquit_sweep_loans)", "{{timezone}}"),
        (f'sum(rate(acquit_commands_total{{command="roll_day"}}{RATE}))', "rolled a second"),
    )  # fmt: skip
    since = ("max by (timezone) (acquit_sweep_age_seconds)", "{{timezone}}")
    board.lines("Daily sweep: since the oldest day began", 6, since, unit="s", alarm=4 * 3600)
    reports = (_rate("acquit_webhooks_total", "rail", "result"), "{{rail}} {{result}}")
    board.lines("Webhooks", 6, reports, unit="cps")


def books(board: Board) -> None:
    """The writer and those who deliver for it."""
    board.section("Books")
    commit = "acquit_books_commit_duration_seconds"
    parts = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    quantiles = [(_quantile(part, commit), legend) for part, legend in parts]
    board.lines("Commits: how long", 8, *quantiles, unit="s", alarm=1)
    size, count = (f"sum(rate(acquit_books_group_size_{it}{RATE}))" for it in ("sum", "count"))
    board.lines(
        "Commands in a commit", 8, (f"{size} / {count}", "mean"), (count, "commits a second")
    )
    answers = (_rate("acquit_commands_total", "answer"), "{{answer}}")
    board.lines("Commands by answer", 8, answers, unit="cps", stacked=True)
    delivery = _quantile(0.95, "acquit_outbox_delivery_duration_seconds", "topic")
    board.lines("Deliveries: how long, 95 %", 8, (delivery, "{{topic}}"), unit="s")
    reading = _quantile(0.95, "acquit_gauges_duration_seconds")
    board.lines("Reading these gauges: how long, 95 %", 8, (reading, "reading"), unit="s")
    kinds = f"topk(8, {_rate('acquit_commands_total', 'command')})"
    board.lines("Commands by kind", 8, (kinds, "{{command}}"), unit="cps")


def temporal(board: Board) -> None:
    """What the SDK says of drivers and activities."""
    board.section("Temporal")
    failed = _rate(
        "temporal_workflow_task_execution_failed_total", "workflow_type", "failure_reason"
    )
    board.lines(
        "Workflow tasks that failed",
        8,
        (failed, "{{workflow_type}} {{failure_reason}}"),
        unit="cps",
    )
    tasks, activities = (
        _quantile(0.95, f"temporal_{it}_schedule_to_start_latency_seconds", "task_queue")
        for it in ("workflow_task", "activity")
    )
    board.lines(
        "Tasks wait for a worker, 95 %", 8, (tasks, "{{task_queue}} workflow tasks"),
        (activities, "{{task_queue}} activities"), unit="s",
    )  # fmt: skip
    pollers = "sum by (task_queue, poller_type) (temporal_num_pollers)"
    board.lines("Pollers", 8, (pollers, "{{task_queue}} {{poller_type}}"))
    lasting = _quantile(0.95, "temporal_activity_execution_latency_seconds", "activity_type")
    board.lines("Activities: how long, 95 %", 8, (lasting, "{{activity_type}}"), unit="s")
    tries = _rate("temporal_activity_execution_failed_total", "activity_type")
    board.lines("Tries of activities that failed", 4, (tries, "{{activity_type}}"), unit="cps")
    ended = _rate("temporal_workflow_failed_total", "workflow_type")
    board.lines("Workflows that failed", 4, (ended, "{{workflow_type}}"), unit="cps")
    slots = "sum by (task_queue, worker_type) (temporal_worker_task_slots_available)"
    board.lines("Free slots", 4, (slots, "{{task_queue}} {{worker_type}}"))
    board.lines(
        "Drivers in memory, failed requests", 4, ("sum(temporal_sticky_cache_size)", "drivers"),
        (_rate("temporal_request_failure_total", "operation"), "{{operation}}"),
    )  # fmt: skip


def text() -> str:
    """The dashboard as Grafana reads it: one panel a line, so that a change is seen as one."""
    board = Board()
    for part in (money, flow, books, temporal):
        part(board)
    head = {
        "uid": "acquit",
        "title": "Acquit",
        "tags": ["acquit"],
        "timezone": "browser",
        "schemaVersion": 41,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
    }
    panels = ",\n".join(json.dumps(panel) for panel in board.panels)
    return f'{json.dumps(head)[:-1]}, "panels": [\n{panels}\n]}}\n'


if __name__ == "__main__":
    sys.stdout.write(text())
