"""What tests of histories share."""

from pathlib import Path

import pytest

from adapters.tapes.report.tape import TapeReport
from tests.support.progresstapes import CLASS_OF, LOAN, Read, read_openings


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Give a function that reads the loan with these events, and with changes of its row."""

    def reading(*events: dict[str, str], row: dict[str, str] | None = None) -> TapeReport:
        loan = {**LOAN, **(row or {})}
        return read_openings(tmp_path, loan, history=events, class_of=CLASS_OF)

    return reading
