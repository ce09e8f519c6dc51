"""Shows the demo's progress, and its closing report with one loan's story."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from cli.output import print_table, print_text
from cli.times import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from cli.story import StoryQueries
    from domain.loan.aggregate import Loan
    from sandbox.rehearsal import Progress as Where
    from sandbox.rehearsal import Result
    from workers.settings import Settings

_PLAIN_EVERY = 50
_STORY_LINES = 80


class LiveScreen:
    """A bar on a terminal; a line now and then where output is not a terminal."""

    def __init__(self, loans: int, installments: int) -> None:
        self._installments = installments
        self._calls = 0
        self._live = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} ended"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not self._live,
        )
        self._task = self._bar.add_task(f"{loans} loans", total=installments)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last state on the screen."""
        self._bar.stop()

    def show(self, where: Where) -> None:
        """Show where the run stands."""
        self._calls += 1
        counts = where.installments
        ended = sum(counts.get(state, 0) for state in ("CLOSED", "CANCELLED"))
        if self._live:
            text = f"{where.now:%Y-%m-%d}"
            self._bar.update(self._task, completed=ended, description=text)
        elif self._calls % _PLAIN_EVERY == 1:
            counted = ", ".join(f"{state} {count}" for state, count in sorted(counts.items()))
            sys.stderr.write(f"acquit: {shown(where.now)} {counted}\n")


async def show_result(
    settings: Settings, result: Result, restarts: dict[str, int], names: Sequence[str]
) -> None:
    """Print the closing report and, of the loans `names`, the installment with most attempts."""
    from cli.audit import show  # noqa: PLC0415
    from workers.compose import open_stack  # noqa: PLC0415

    show(result.report)
    facts = result.as_dict()
    rows: list[tuple[str, Any]] = [
        ("virtual days", facts["virtual_days"]),
        ("seconds", facts["elapsed_s"]),
        *((name.replace("_", " "), value) for name, value in facts["temporal"].items()),
        ("commands per installment", facts["books"]["commands_per_installment"]),
        ("stops of the clock", facts["clock"]["stops"]),
        ("started again", ", ".join(f"{k} {v}" for k, v in restarts.items() if v) or "nothing"),
    ]
    print_table("Run", ("what", "count>"), rows)
    if facts["clock"]["stuck"]:
        print_text(f"did not move: {', '.join(facts['clock']['stuck'])}")
    async with open_stack(settings) as stack:
        await _tell(stack.queries, names)


async def _tell(queries: StoryQueries, names: Sequence[str]) -> None:
    """The story of the installment with the most attempts."""
    from cli.story import story_lines, story_of  # noqa: PLC0415

    best: tuple[int, Loan, int] | None = None
    for loan in [await queries.loan(name) for name in names]:
        for item in loan.installments if loan else ():
            if loan is not None and (best is None or len(item.attempts) > best[0]):
                best = (len(item.attempts), loan, item.number)
    if best is None:
        return
    _, loan, number = best
    print_text(f"Story of {loan.id}/{number}")
    sentences = list(story_lines(await story_of(queries, loan.id, number)))
    for sentence in sentences[:_STORY_LINES]:
        print_text(f"  {sentence}".rstrip())
    if more := len(sentences[_STORY_LINES:]):
        print_text(f"  ... and {more} lines more: acquit story {loan.id}/{number}")
