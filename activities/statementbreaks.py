"""Commands for what of a statement file could not be taken: each opens a case."""

from dataclasses import replace

from temporalio import activity

from domain.errors import AcquitError
from domain.kernel import canonical
from domain.kernel.command import Actor
from domain.statement.broken import RecordStatementBreak, StatementBreak
from domain.statement.statement import StatementLine
from domain.text import cleaned

READER = Actor("system", "statement")
CAUSE_MOST = 60
"""Characters of a cause that are kept."""


def break_of(
    what: StatementBreak, subject: str, text: str, cause: str = ""
) -> RecordStatementBreak:
    """The command for what could not be taken.

    Its id is made with the run: where another reading fails too, the file opens again what somebody
    has ended.
    """
    run = activity.info().workflow_run_id or ""
    mark = canonical.digest((what, subject, text, run))[:16]
    return RecordStatementBreak(
        id=f"break/{what.value}/{mark}",
        actor=READER,
        reason="a statement file could not be taken whole",
        what=what,
        subject=subject,
        text=cleaned(text),
        cause=cause,
    )


def lost_line(sha256: str, line: StatementLine, error: Exception) -> RecordStatementBreak:
    """The command for a line that the books do not take; with its file and why, it may be alike."""
    text = f"line {line.id} of file {sha256} was not booked: {reason_of(error)}"
    return replace(
        break_of(StatementBreak.LINE_FAILED, line.id, text),
        file=sha256,
        cause=type(error).__name__[:CAUSE_MOST],
        amount_minor=line.amount_minor,
        currency=line.currency,
    )


def reason_of(error: Exception) -> str:
    """What people are shown: our own errors in full, of others only the kind (no row, no SQL)."""
    return str(error) if isinstance(error, AcquitError) else type(error).__name__
