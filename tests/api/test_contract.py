"""The committed document is that of this build, and what breaks callers is found."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from api.contract import breaks, text

COMMITTED = Path("docs/contracts/api/v1.openapi.json")


def _document() -> Any:
    return json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_the_committed_document_is_that_of_this_build() -> None:
    """Written anew by `python -m api.contract > docs/contracts/api/v1.openapi.json`."""
    assert text() == COMMITTED.read_text(encoding="utf-8")


def test_every_endpoint_says_how_it_fails() -> None:
    """With problems, and never with the framework's own errors."""
    found = _document()
    endpoints = [of for methods in found["paths"].values() for of in methods.values()]
    assert len(endpoints) > 20
    for endpoint in endpoints:
        assert {"401", "403", "422", "503", "500"} <= set(endpoint["responses"])
        for status, answer in endpoint["responses"].items():
            if status >= "400":
                assert list(answer["content"]) == ["application/problem+json"]
        assert endpoint["security"] == [{"HTTPBearer": []}]
    writes = [of for of in endpoints if any(
        one["name"] == "Idempotency-Key" for one in of.get("parameters", ())
    )]  # fmt: skip
    assert len(writes) == 4


def _without_endpoint(doc: Any) -> None:
    del doc["paths"]["/v1/loans/{loan_id}/story"]


def _without_answer(doc: Any) -> None:
    del doc["paths"]["/v1/loans"]["post"]["responses"]["409"]


def _without_field(doc: Any) -> None:
    del doc["components"]["schemas"]["LoanOut"]["properties"]["borrower"]


def _wanting_more(doc: Any) -> None:
    doc["components"]["schemas"]["LoanIn"]["required"].append("past")


def _narrower(doc: Any) -> None:
    doc["components"]["schemas"]["LoanIn"]["properties"]["periods"]["maximum"] = 12


def _of_another_type(doc: Any) -> None:
    doc["components"]["schemas"]["MoneyOut"]["properties"]["amount_minor"]["type"] = "string"


def _without_parameter(doc: Any) -> None:
    of = doc["paths"]["/v1/loans"]["get"]
    of["parameters"] = [one for one in of["parameters"] if one["name"] != "limit"]


@pytest.mark.parametrize(
    "change",
    [
        _without_endpoint,
        _without_answer,
        _without_field,
        _wanting_more,
        _narrower,
        _of_another_type,
        _without_parameter,
    ],
)
def test_what_breaks_callers_is_found(change: Any) -> None:
    """Whatever is gone, wanted or narrower is named; what is added is not."""
    before, after = _document(), _document()
    change(after)
    assert len(list(breaks(before, after))) == 1
    more = copy.deepcopy(before)
    more["paths"]["/v1/new"] = {}
    more["components"]["schemas"]["LoanIn"]["properties"]["new"] = {"type": "string"}
    assert list(breaks(before, more)) == []
