"""Statements that several readers begin with."""

from typing import Any

from sqlalchemy import Select, select

from adapters.sql.schema.tables import cases, subjects
from domain.case.case import CASE

CASES: Select[Any] = (
    select(subjects.c.body)
    .join(cases, cases.c.key == subjects.c.key)
    .where(subjects.c.kind == CASE)
)
"""Bodies of all cases, resolved ones included."""
OPEN_CASES = CASES.where(cases.c.closed_at.is_(None))
