"""The page of the lifecycle of a case is made from its table."""

import runpy
from pathlib import Path

import pytest

from domain.case.lifecycle import CaseState
from domain.case.lifecycle_doc import page
from domain.kernel.lifecycle_doc import meanings

KEPT = Path(__file__).resolve().parents[3] / "docs" / "case-lifecycle.md"


def test_every_state_of_a_case_says_what_it_means() -> None:
    """The text under each member is the page's meaning of the state."""
    assert set(meanings(CaseState)) == {state.name for state in CaseState}


def test_the_page_of_cases_is_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/case-lifecycle.md is what the generator writes now."""
    with pytest.warns(RuntimeWarning, match="lifecycle_doc"):
        runpy.run_module("domain.case.lifecycle_doc", run_name="__main__")
    assert capsys.readouterr().out == page()
    renew = "run: python -m domain.case.lifecycle_doc > docs/case-lifecycle.md"
    assert KEPT.read_text(encoding="utf-8") == page(), renew
