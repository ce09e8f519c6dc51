"""Boards the loans of a tape: the books check all of them first, then take all or none."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import make_url

from adapters.products.files import read_products
from adapters.tapes.files.rows import TapeFault, fault_of
from adapters.tapes.report.arrears import Arrears, Bucket, NotDebitable
from adapters.tapes.report.firstdays import FirstDay, Forecaster
from adapters.tapes.report.openingtotals import OpeningTotals, Totals
from adapters.tapes.report.tape import FAULTS_KEPT, TapeReport
from adapters.tapes.report.unknowncodes import UnknownCode, UnknownCodes
from domain.errors import Conflict, InvalidInput
from domain.kernel.change import Applied, Refusal, Refused
from domain.loan.change import Aggregates
from domain.loan.decide import decide
from sandbox.mandates import sign_mandates
from workers.accounts import accounts_of
from workers.clock import SandboxClock
from workers.compose import clock_of, open_stack, rulebook
from workers.rails import nearest_of, rails_of
from workers.reporting import note
from workers.stackfile import read_stack

if TYPE_CHECKING:
    from adapters.tapes.report.keptrows import LoanRows
    from domain.loan.boarding import BoardLoan
    from workers.compose import Stack
    from workers.settings import Settings

BATCH = 100
TOLD_EVERY = 1_000
"""Loans after which whoever waits is told how far it is."""

Answer = Applied | Refused | Refusal | Exception | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What boarding a tape would do.

    `report` has the rows that the books would take, and as faults also those that they refuse;
    `new` are the loans that the books do not have yet; `in_progress` what the loans bring from
    another system; `days` what the new ones bring in the first days; `arrears` what is past due,
    and `not_debitable` what of it the tape asks to be debited that cannot be; `unknown_codes` are
    those of debits of a former system.
    """

    report: TapeReport
    new: LoanRows
    in_progress: tuple[OpeningTotals, ...]
    days: tuple[FirstDay, ...] = ()
    arrears: tuple[Bucket, ...] = ()
    not_debitable: tuple[NotDebitable, ...] = ()
    unknown_codes: tuple[UnknownCode, ...] = ()


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
            days = Forecaster(stack.rules, stack.clock.now())
            return await _asked(stack, _judge(stack, report, days))
    clock = clock_of(settings, record)
    rails, products = rails_of(settings, record), read_products(settings.products)
    rules, at = rulebook(rails, accounts_of(settings, rails, products)), clock.now()
    if isinstance(clock, SandboxClock):
        clock.close()
    empty, nearest = Aggregates(at, rules), nearest_of(rails)
    judge = _Judge(report, Arrears(rules, at), UnknownCodes(nearest), Forecaster(rules, at))
    for command in report.rows:
        judge.take(command, decide(empty, command))  # type: ignore[arg-type]
    return judge.forecast()


async def forecast_by(stack: Stack, report: TapeReport) -> Forecast:
    """What the books of an open stack would answer; the first days are not looked at."""
    return await _asked(stack, _judge(stack, report))


def _judge(stack: Stack, report: TapeReport, days: Forecaster | None = None) -> _Judge:
    arrears = Arrears(stack.rules, stack.clock.now())
    return _Judge(report, arrears, UnknownCodes(nearest_of(stack.registry)), days)


async def _asked(stack: Stack, judge: _Judge) -> Forecast:
    for start in range(0, len(judge.rows), BATCH):
        batch = tuple(judge.rows[start : start + BATCH])
        for command, answer in zip(batch, await stack.writer.rehearse(batch), strict=True):
            judge.take(command, answer)
    return judge.forecast()


async def board_all(stack: Stack, rows: LoanRows) -> Boarded:
    """Hand the loans to the books in bounded batches.

    The forecast said that they would be taken. One that fails all the same (the database went away,
    another process was first) is reported and stops the rest; the same tape again completes it.
    """
    done, is_sandbox = Boarded(), stack.record is not None and stack.record.mode == "sandbox"
    for start in range(0, len(rows), BATCH):
        batch = tuple(rows[start : start + BATCH])
        if is_sandbox:
            await sign_mandates(stack.rails, batch)
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
        tell("boarded", min(start + BATCH, len(rows)), len(rows))
        if not done.is_whole:
            left = rows[start + BATCH :].kept
            why = "not tried, since loans before it failed"
            done.failed.extend({"loan_id": one.loan_id, "error": why} for one in left)
            break
    return done


def tell(what: str, done: int, of: int) -> None:
    """Tell how far long work is; a small tape is not worth a line."""
    if of > TOLD_EVERY and (done % TOLD_EVERY == 0 or done == of):
        note(f"{done} of {of} loans are {what}")


class _Judge:
    """What the books say to the rows of a tape, one after the other."""

    def __init__(
        self,
        report: TapeReport,
        arrears: Arrears,
        codes: UnknownCodes,
        days: Forecaster | None = None,
    ) -> None:
        """`days`: counts what the new ones bring in the first days."""
        self._report, self._days = report, days
        self._arrears, self._codes = arrears, codes
        self._taken: list[int] = []
        self._new: list[int] = []
        self._refused: list[TapeFault] = []
        self._totals = Totals()
        self._asked = 0

    @property
    def rows(self) -> LoanRows:
        """The rows that are asked about."""
        return self._report.rows

    def take(self, command: BoardLoan, answer: Answer) -> None:
        """Add the answer to the next row."""
        index, self._asked = self._asked, self._asked + 1
        tell("looked at", self._asked, len(self.rows))
        if fault := _fault(command, answer):
            line = self._report.rows.kept[index].line
            self._refused.append(fault_of(line, fault, command.loan_id))
            return
        self._taken.append(index)
        if not (isinstance(answer, Applied) and answer.replayed):
            self._new.append(index)
            if self._days is not None:
                self._days.add(command)
        for figures in (self._totals, self._arrears, self._codes):
            figures.add(command)

    def forecast(self) -> Forecast:
        """The report with what the books refuse among its faults, and the loans that are new."""
        rows, faults = self._report.rows, [*self._report.faults, *self._refused]
        faults.sort(key=lambda item: item.place)
        judged = replace(
            self._report,
            rows=rows.only(self._taken),
            faults=tuple(faults[:FAULTS_KEPT]),
            fault_count=self._report.fault_count + len(self._refused),
        )
        days = () if self._days is None else self._days.days
        return Forecast(
            judged,
            rows.only(self._new),
            self._totals.by_currency,
            days,
            self._arrears.buckets,
            tuple(self._arrears.not_debitable),
            self._codes.found(),
        )


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
