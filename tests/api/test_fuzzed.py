"""Requests that a machine makes up from the document: no fault, and no answer it does not name."""

import asyncio
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from adapters.sql.engine import books_engine
from adapters.sql.schema.migrate import upgrade
from domain.access.person import Grant, Role
from tests.support.apistage import api_stage, everywhere, with_loans

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

EXAMPLES = 12
"""Of each endpoint and person; a hundred in a night are more."""
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
async def test_no_made_up_request_finds_a_fault(sqlite_url: str, tmp_path: Path) -> None:
    """Every endpoint, by a service and by an operator that is everywhere."""
    await upgrade(sqlite_url)
    engine = books_engine(sqlite_url)
    async with api_stage(engine, tmp_path) as stage:
        await with_loans(stage)
        await stage.key("core", Grant(Role.SERVICE, "main"), program=True)
        await stage.key("ops", everywhere(Role.OPERATOR))
        for by in ("core", "ops"):
            found = await asyncio.to_thread(_fuzz, stage.base, stage.keys[by])
            assert {200, 404, 422} <= set(found), found
            assert found.total() > 200
    await engine.dispose()


KNOWN = {"loan_id": "L1", "number": 1}
"""In place of every second made-up name, so that more than the names is tried."""


def _fuzz(base: str, key: str) -> Counter[int]:
    schema = schemathesis.openapi.from_url(f"{base}/v1/openapi.json")
    statuses: Counter[int] = Counter()

    def call(case: Any) -> None:
        case.headers["Authorization"] = f"Bearer {key}"
        if sum(statuses.values()) % 2:
            case.path_parameters |= {
                name: KNOWN[name] for name in case.path_parameters if name in KNOWN
            }
        response = case.call(base_url=base)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=list(CHECKS))

    limited = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        strategy = operation.as_strategy()
        limited(given(case=strategy)(call))()
    return statuses
