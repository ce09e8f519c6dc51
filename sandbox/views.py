"""What `acquit up` prints for people: links to lists in the Temporal UI, and where Temporal is."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workers.stackfile import StackRecord

_DRIVERS = "WorkflowType = 'Installment'"
VIEWS = (
    ("waiting for a person", "NeedsOperator = true AND ExecutionStatus = 'Running'"),
    ("in doubt", f"{_DRIVERS} AND State = 'IN_DOUBT'"),
    ("not paid", f"{_DRIVERS} AND State IN ('RETRYING', 'DELINQUENT')"),
    ("failed runs", "ExecutionStatus = 'Failed' OR ExecutionStatus = 'Terminated'"),
    ("all that run", f"{_DRIVERS} AND ExecutionStatus = 'Running'"),
)
"""Name and visibility query of each list; docs/operations.md explains the columns."""


def saved_views(ui: str | None, namespace: str) -> Iterator[str]:
    """One line for each list: its name and its link; none where there is no UI."""
    if ui is None:
        return
    for name, query in VIEWS:
        where = f"{ui.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows"
        yield f"  {name:<22}{where}?{urlencode({'query': query}, quote_via=quote)}"


def for_clients(record: StackRecord) -> str:
    """A line to be run in another terminal, so that Temporal's own clients find the stack."""
    address, namespace = record.temporal_address, record.temporal_namespace
    return f"export TEMPORAL_ADDRESS={address} TEMPORAL_NAMESPACE={namespace}"
