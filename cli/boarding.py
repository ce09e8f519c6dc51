"""Boards the loans of a tape: the books check all of them first, then take all or none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from adapters.products.files import read_products
from adapters.tapes.firstdays import FirstDay, first_days
from adapters.tapes.report import FAULTS_KEPT, TapeReport
from adapters.tapes.rows import fault_of
from domain.errors import Conflict, InvalidInput
from domain.kernel.change import Applied, Refusal, Refused
from domain.loan.change import Aggregates
from domain.loan.decide import decide
from sandbox.mandates import sign_mandates
from workers.accounts import accounts_of
from workers.clock import SandboxClock
from workers.compose import clock_of, open_stack, rulebook
from workers.rails import rails_of
from workers.stackfile import read_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.loan.boarding import BoardLoan
    from workers.compose import Stack
    from workers.settings import Settings

BATCH = 100
FORECAST_MOST = 500
"""Most loans whose first days are forecast: more would take long where much is past."""

Answer = Applied | Refused | Refusal | Exception | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What boarding a tape would do.

    `report` has the rows that the books would take, and as faults also those that they refuse;
    `new` are the loans that the books do not have yet; `days` what these bring in the first days.
    """

    report: TapeReport
    new: tuple[BoardLoan, ...]
    days: tuple[FirstDay, ...]


@dataclass(slots=True)
class Boarded:
    """What became of the loans of a tape."""

    boarded: int = 0
    known: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether every loan is on the books."""
        return not self.refused and not self.failed


async def forecast_of(settings: Settings, report: TapeReport) -> Forecast:
    """What the books would answer to each row; nothing is written. Without books: empty ones."""
    record = read_stack(settings.home)
    if _has_books(settings.books_url(record)):
        async with open_stack(settings) as stack:
            found = await forecast_by(stack, report)
            days = first_days(found.new[:FORECAST_MOST], stack.rules, stack.clock.now())
            return replace(found, days=days)
    clock = clock_of(settings, record)
    rails, products = rails_of(settings, record), read_products(settings.products)
    rules, at = rulebook(rails, accounts_of(settings, rails, products)), clock.now()
    if isinstance(clock, SandboxClock):
        clock.close()
    empty = Aggregates(at, rules)
    answers: list[Answer] = [decide(empty, command) for command in report.rows]  # type: ignore[misc]
    kept, new = _judged(report, answers)
    return Forecast(kept, new, first_days(new[:FORECAST_MOST], rules, at))


async def forecast_by(stack: Stack, report: TapeReport) -> Forecast:
    """What the books of an open stack would answer; the first days are not looked at."""
    answers: list[Answer] = []
    for start in range(0, len(report.rows), BATCH):
        answers.extend(await stack.writer.rehearse(report.rows[start : start + BATCH]))
    kept, new = _judged(report, answers)
    return Forecast(kept, new, ())


async def board_all(stack: Stack, commands: Sequence[BoardLoan]) -> Boarded:
    """Hand the loans to the books in bounded batches.

    The forecast said that they would be taken. One that fails all the same (the database went away,
    another process was first) is reported and stops the rest; the same tape again completes it.
    """
    if stack.record is not None and stack.record.mode == "sandbox":
        await sign_mandates(stack.rails, commands)
    done = Boarded()
    for start in range(0, len(commands), BATCH):
        batch = commands[start : start + BATCH]
        for command, answer in zip(batch, await stack.books.apply_many(batch), strict=True):
            match answer:
                case Applied(replayed=True):
                    done.known += 1
                case Applied():
                    done.boarded += 1
                case Refused(rule=rule, reason=reason):
                    item = {"loan_id": command.loan_id, "rule": rule, "reason": reason}
                    done.refused.append(item)
                case error:
                    done.failed.append({"loan_id": command.loan_id, "error": str(error)})
        if not done.is_whole:
            left = commands[start + BATCH :]
            why = "not tried, since loans before it failed"
            done.failed.extend({"loan_id": one.loan_id, "error": why} for one in left)
            break
    return done


def _judged(
    report: TapeReport, answers: Sequence[Answer]
) -> tuple[TapeReport, tuple[BoardLoan, ...]]:
    """The report with what the books refuse among its faults, and the loans that are new."""
    rows, lines, new, faults = [], [], [], list(report.faults)
    refused = 0
    for command, line, answer in zip(report.rows, report.lines, answers, strict=True):
        if fault := _fault(command, answer):
            refused += 1
            faults.append(fault_of(line, fault, command.loan_id))
            continue
        rows.append(command)
        lines.append(line)
        if not (isinstance(answer, Applied) and answer.replayed):
            new.append(command)
    faults.sort(key=lambda item: item.place)
    judged = replace(
        report,
        rows=tuple(rows),
        lines=tuple(lines),
        faults=tuple(faults[:FAULTS_KEPT]),
        fault_count=report.fault_count + refused,
        installments=sum(len(command.schedule) for command in rows),
    )
    return judged, tuple(new)


def _fault(command: BoardLoan, answer: Answer) -> InvalidInput | None:
    match answer:
        case Refused() | Refusal():
            return InvalidInput(answer.rule, command.loan_id, answer.reason)
        case Conflict():
            return InvalidInput("loan_id", command.loan_id, str(answer))
        case Exception():
            raise answer
        case _:
            return None


def _has_books(url: str) -> bool:
    parsed = make_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()
