"""What a check found, and how a check is run: within a time limit, and without secrets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from adapters.refusals import SourceRefused
from domain.errors import AcquitError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.telemetry.redaction import Redactor

_DETAIL_MOST = 300


class CheckResult(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works now; somebody should look."""
    FAIL = "fail"
    """Something does not work, or a guarantee of Acquit does not hold."""
    SKIP = "skip"
    """It could not be asked, because of another check that is reported by itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: `advice` says what to do next, empty where nothing is to do."""

    check: str
    result: CheckResult
    detail: str
    advice: str = ""


def ok(check: str, detail: str) -> Finding:
    """A check that found everything as it should be."""
    return Finding(check, CheckResult.OK, detail)


def warn(check: str, detail: str, advice: str) -> Finding:
    """A check of something that works now, and that somebody should look at."""
    return Finding(check, CheckResult.WARN, detail, advice)


def fail(check: str, detail: str, advice: str) -> Finding:
    """A check of something that does not work."""
    return Finding(check, CheckResult.FAIL, detail, advice)


def skip(check: str, because: str) -> Finding:
    """A check that could not be made."""
    return Finding(check, CheckResult.SKIP, because)


@dataclass(frozen=True, slots=True)
class Examiner:
    """Runs checks: none longer than `within_s` seconds, none of their errors with a secret."""

    within_s: float
    redactor: Redactor

    async def run(
        self, check: str, advice: str, ask: Callable[[], Awaitable[Sequence[Finding]]]
    ) -> list[Finding]:
        """The findings of one check; an error of its is a failure under its name, with `advice`."""
        try:
            async with asyncio.timeout(self.within_s):
                return list(await ask())
        except TimeoutError:
            return [fail(check, f"no answer within {self.within_s:g} s", advice)]
        except SourceRefused as error:
            return [fail(check, self.shown(fault), advice) for fault in error.faults]
        except Exception as error:  # noqa: BLE001  (whatever it is, it is what was found)
            return [fail(check, self.shown(error), advice)]

    def shown(self, error: BaseException) -> str:
        """An error in one line: ours by its text, others by their kind and their driver's text."""
        origin = getattr(error, "orig", None) or error
        kind = "" if isinstance(origin, AcquitError) else f"{type(origin).__name__}: "
        return kind + self.redactor.text(" ".join(str(origin).split()), most=_DETAIL_MOST)
