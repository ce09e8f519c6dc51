"""Rules, certificates, words and the page of a closure."""

import io
import runpy
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from domain.kernel.subject import Subject
from domain.loanclosure.certificate import TEXT_MOST, Settlement, code_of, read_settlement
from domain.loanclosure.lifecycle_doc import page
from domain.loanclosure.rules import FORWARD, ClosingRules, DoneBy, LegKind, LegRule
from domain.loanclosure.view import fields_of
from domain.loanclosure.words import CLOSURE_WORDS
from tests.support.closures import ALL, DAY, LEGS, ClosingScene, only
from tests.support.doors import LegStatus, Scope, WaiveLeg
from tests.support.memory import TESTER

_K = LegKind
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("kind", "rule", "says"),
    [
        (_K.CORRECT_BUREAU, LegRule(DAY, "b"), "follows tell_bureau"),
        (_K.STOP_CHARGES, LegRule(timedelta(0)), "more than zero"),
        (_K.STOP_CHARGES, LegRule(DAY, tries=0), "more than zero"),
        (_K.TELL_BORROWER, LegRule(DAY), "at least one"),
        (_K.END_MANDATE, LegRule(DAY, channels=("sms",)), "of tell_borrower"),
        (_K.END_MANDATE, LegRule(DAY, "bank-k"), "no counterparty"),
        (_K.TELL_BUREAU, LegRule(DAY), "a bureau is named"),
    ],
)
def test_rules_that_make_no_sense_are_refused(kind: LegKind, rule: LegRule, says: str) -> None:
    """Each names the leg and what it must be."""
    with pytest.raises(InvalidInput, match=says) as caught:
        ClosingRules({kind: rule})
    assert caught.value.field == f"closing.{kind}"


def test_who_does_a_leg_follows_from_its_kind_and_its_channel() -> None:
    """A leg that takes another back goes the way that one went."""
    said = {kind: ALL.done_by(kind) for kind in (*FORWARD, _K.CORRECT_BUREAU, _K.RECALL_GUARANTOR)}
    assert said == {
        _K.STOP_CHARGES: DoneBy.BOOKS,
        _K.END_MANDATE: DoneBy.RAIL,
        _K.STOP_COLLECTION: DoneBy.BOOKS,
        _K.RELEASE_GUARANTOR: DoneBy.HAND,
        _K.TELL_BUREAU: DoneBy.CHANNEL,
        _K.ISSUE_CERTIFICATE: DoneBy.ISSUER,
        _K.TELL_BORROWER: DoneBy.NOTICE,
        _K.CORRECT_BUREAU: DoneBy.CHANNEL,
        _K.RECALL_GUARANTOR: DoneBy.HAND,
    }
    agency = ClosingRules({_K.STOP_COLLECTION: replace(LEGS[_K.STOP_COLLECTION], channel="agency")})
    assert agency.done_by(_K.STOP_COLLECTION) is DoneBy.CHANNEL


def certificate() -> Settlement:
    """What a certificate says."""
    return ClosingScene.released(only(_K.STOP_CHARGES)).settlement()


def test_a_signed_text_is_one_text_for_one_content() -> None:
    """Sorted names, no spaces, ASCII: two programs write the same bytes. It reads back whole."""
    said = replace(certificate(), issuer="借贷公司")
    text = said.text()
    assert text.isascii()
    assert " " not in text.replace("acquit certificate of settlement", "")
    assert read_settlement(text) == said
    assert code_of(text) == code_of(text)
    assert code_of(text) != code_of(text.replace("10000", "10001"))
    assert [len(part) for part in code_of(text).split("-")] == [4] * 5


def _broken() -> dict[str, str]:
    text = certificate().text()
    return {
        "no JSON": "certificate",
        "[]": "certificate",
        '{"type":"other","version":1}': "certificate",
        text.replace('"version":1', '"version":2'): "certificate",
        text.replace('"loan_id":"L1"', '"loan_id":"L1","more":1'): "certificate",
        text.replace('"currency":"CNY"', '"currency":5'): "currency",
        text.replace('"installments":1', '"installments":true'): "installments",
        text.replace('"disbursed_on":"2026-02-10"', '"disbursed_on":"2026-02-30"'): "disbursed_on",
        text.replace('"disbursed_on":"2026-02-10"', '"disbursed_on":7'): "disbursed_on",
        text.replace('"L1"', f'"{"L" * TEXT_MOST}"'): "certificate",
    }


@pytest.mark.parametrize("text", list(_broken()), ids=range(10))
def test_a_text_that_is_not_ours_is_refused_by_its_field(text: str) -> None:
    """Nothing of a stranger's text is shown."""
    with pytest.raises(InvalidInput) as caught:
        read_settlement(text)
    assert caught.value.field == _broken()[text]


def test_a_closure_in_words_names_legs_and_what_is_missing() -> None:
    """Changes say which leg went on; parts say where each stands and what else is awaited."""
    s = ClosingScene.released(only(_K.TELL_BUREAU, _K.STOP_CHARGES))
    before = s.view_now
    assert CLOSURE_WORDS.summary(before) == "closure of loan L1"
    s.news(s.ask(_K.TELL_BUREAU), LegStatus.REJECTED, code="B01")
    after = s.view_now
    assert [*CLOSURE_WORDS.changes(before, after)] == ["tell bureau rejected (B01)"]
    parts = [*CLOSURE_WORDS.parts(after)]
    assert parts[0] == f"**RUNNING**, nothing owed as of {s.closure.value_on}"
    assert "tell bureau: rejected (B01)" in parts
    assert "stop charges: done" in parts
    assert not [part for part in parts if part.startswith("waits for")]
    waiting = replace(after, missing=("tell_bureau", "suspense"))
    assert [*CLOSURE_WORDS.parts(waiting)][-1] == "waits for: suspense"


def test_commands_name_a_closure_by_its_loan() -> None:
    """The key of the subject is the loan."""
    assert fields_of(Subject("loan_closure", "L-7")) == {"loan_id": "L-7"}


def test_commands_name_their_loan_and_are_about_its_closure() -> None:
    """Orders, actions and news lock the loan in which the closure lies."""
    order = WaiveLeg(id="c", actor=TESTER, reason="r", loan_id="L-7", leg=_K.TELL_BUREAU)
    assert order.scope() == Scope(loans=("L-7",))
    assert order.about() == Subject("loan_closure", "L-7")


def test_the_page_of_the_lifecycle_is_made_from_the_tables() -> None:
    """`docs/closure-lifecycle.md` says what the tables say."""
    assert (ROOT / "docs" / "closure-lifecycle.md").read_text() == page()
    out = io.StringIO()
    with redirect_stdout(out), pytest.warns(RuntimeWarning, match="lifecycle_doc"):
        runpy.run_module("domain.loanclosure.lifecycle_doc", run_name="__main__")
    assert out.getvalue() == page()
