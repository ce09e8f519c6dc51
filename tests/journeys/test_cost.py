"""What one installment costs on the real whole stack, counted."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adapters.sql.books import SqlBooks
from tests.journeys.whole import loans, whole
from workers.tolls import tolls_of
from workflows import names

TASKS, EVENTS, COMMITS, POSTS = 5, 30, 8, 1
"""The most that the happy path of one installment with one reminder may cost."""


async def test_happy_path_of_one_installment_stays_within_its_cost(
    tmp_path: Path, temporal_binary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Reminder, debit, settlement and closure: few tasks, few events, few commits, one POST.

    Real dev server, real bank over HTTP, real SQLite. Boarding is one commit for the whole loan;
    counted are those after it until closure: opening, reminder, its receipt, falling due, intent,
    outcome, the bank's report of the same, the statement line. Marks of the outbox are apart.
    """
    assert temporal_binary.is_file()
    (loan,) = loans(1)
    async with whole(tmp_path / "home") as run:
        await run.board([loan])
        books = run.stack.books
        assert isinstance(books, SqlBooks)
        boarding = books.counters.commits
        report = await run.to_the_end()
        assert report.clean, report.findings
        assert dict(report.installments) == {"CLOSED": 1}
        assert report.reminders == 1
        driver = names.driver_id(await run.view(loan.loan_id))
        await run.client.get_workflow_handle(driver).result()
        history = await run.client.get_workflow_handle(driver).fetch_history()
        events, tasks = tolls_of(history)
        counters = books.counters
        commits, marks = counters.commits - boarding, counters.messages
        (order,) = (await run.truth())["orders"]
    with capsys.disabled():
        sys.stdout.write(
            f"\none installment with one reminder: {tasks} workflow tasks (most {TASKS}), "
            f"{events} events ({EVENTS}), {commits} commits of the books ({COMMITS}), "
            f"{order['posts']} POST to the rail ({POSTS}); {marks} messages through the outbox\n"
        )
    assert order["posts"] == POSTS
    assert tasks <= TASKS
    assert events <= EVENTS
    assert boarding == 1
    assert commits <= COMMITS
