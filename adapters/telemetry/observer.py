"""Observes the books for traces and metrics: implements `adapters.sql.write.observer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

from opentelemetry.trace import Tracer

from adapters.sql.write.observer import Commit
from adapters.telemetry import catalogue
from adapters.telemetry.group import GroupTraces
from adapters.telemetry.metrics import Metrics
from domain.kernel.change import Applied, Refused
from domain.kernel.command import Command


class BooksObserver:
    """Makes spans with `tracer` and counts with `metrics`; either may be None."""

    def __init__(self, tracer: Tracer | None, metrics: Metrics | None) -> None:
        self._traces = None if tracer is None else GroupTraces(tracer)
        self._metrics = metrics

    def origin(self, commands: int) -> Mapping[str, str]:
        """See `adapters.sql.write.observer.Observer.origin`."""
        return {} if self._traces is None else self._traces.origin(commands)

    def group(self, origins: Sequence[Mapping[str, str]]) -> AbstractContextManager[None]:
        """See `adapters.sql.write.observer.Observer.group`."""
        return nullcontext() if self._traces is None else self._traces.group(origins)

    def committed(self, commit: Commit) -> None:
        """Latency, size, and what became of attempts.

        A commit in doubt that turns out to have been made is not counted: the gauges of the books
        are exact, counters tell how much happens.
        """
        if (metrics := self._metrics) is None:
            return
        metrics.record(catalogue.COMMIT_DURATION, commit.seconds)
        metrics.record(catalogue.GROUP_SIZE, commit.commands)
        for move in commit.moves:
            outcome = catalogue.NONE if move.outcome_class is None else move.outcome_class.value
            metrics.add(catalogue.ATTEMPTS, move.rail, move.state, outcome)

    def answered(
        self, commands: Sequence[Command], answers: Sequence[Applied | Refused | Exception]
    ) -> None:
        """Commands by kind and answer."""
        if (metrics := self._metrics) is None:
            return
        for command, answer in zip(commands, answers, strict=True):
            metrics.add(catalogue.COMMANDS, command.kind, _word(answer))


def _word(answer: Applied | Refused | Exception) -> str:
    match answer:
        case Applied() | Refused() if answer.replayed:
            return "replayed"
        case Applied():
            return "applied"
        case Refused():
            return "refused"
        case _:
            return "failed"
