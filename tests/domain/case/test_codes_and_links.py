"""Why a case was opened, by one table, and what it points to; both stand in the journal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.case import codes
from domain.case.case import Case
from domain.case.codes import CASE_CODES, CODE_MOST, From, code_for
from domain.case.kinds import CaseKind
from domain.case.links import LINKS_MOST, Link, LinkTo, in_words, linked
from domain.debit.outcome import OutcomeClass
from domain.errors import InvariantBroken
from domain.kernel.canonical import NAME_MOST
from domain.kernel.change import Done
from domain.loan.decide.closing import close_out
from domain.loan.decide.work import Work
from domain.statement.broken import StatementBreak
from domain.statement.casecodes import CODES
from domain.statement.controls import case_of
from domain.statement.statement import FaultRule, LineItem
from tests.support.doors import RecordDeadLetter, RecordStatementBreak
from tests.support.memory import TESTER, MemoryBooks
from tests.support.scene import Scene

FILE = "f" * 64
_K = CaseKind


def test_every_kind_has_its_codes() -> None:
    """The usual one and perhaps others; none is longer than what is kept, or there twice."""
    assert set(CODES) == set(CaseKind)
    for kind, row in CODES.items():
        assert code_for(kind, row, "", None) == row.usual
        assert len(set(row.words)) == len(row.words)
        assert all(0 < len(word) <= CODE_MOST for word in row.words)


def test_codes_of_controls_over_statements_are_their_rules() -> None:
    """Each rule is a code of the kind that it opens, and no other code is one of these kinds."""
    kinds = {CaseKind(case_of(rule).value) for rule in FaultRule}
    assert kinds == {_K.STATEMENT_GAP, _K.STATEMENT_UNBALANCED, _K.STATEMENT_RESTATED}
    assert not kinds & set(CASE_CODES)
    pairs = {(CaseKind(case_of(rule).value), rule.value) for rule in FaultRule}
    assert {(kind, word) for kind in kinds for word in CODES[kind].words} == pairs
    assert {CODES[kind].other for kind in kinds} == {None}


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        (_K.SURPLUS, "", "not_owed"),
        (_K.CONTRADICTION, "amounts_differ", "amounts_differ"),
        (_K.LINE_FAILED, "x" * 100, "x" * CODE_MOST),
        (_K.LINE_FAILED, "  ", "not_booked"),
        (_K.UNPARSED_EVENT, "charge.frozen", "charge.frozen"),
    ],
)
def test_a_code_is_what_is_said_or_the_usual_one(kind: CaseKind, said: str, expected: str) -> None:
    """Cut to what is kept."""
    assert code_for(kind, CODES[kind], said, None) == expected


def test_a_kind_that_takes_no_codes_of_others_has_only_its_own() -> None:
    """Whoever opens a case with another word is wrong, and the word is not kept."""
    with pytest.raises(InvariantBroken, match="'MD06' is no cause code of surplus: not_owed"):
        code_for(_K.SURPLUS, CODES[_K.SURPLUS], "MD06", None)


def test_a_rails_code_is_taken_where_the_kind_takes_codes_of_rails() -> None:
    """Of an outcome, of a return; a kind that takes none has its own."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10100)
    s.apply_outcome(order, OutcomeClass.NSF, code="51", source="webhook")
    case = s.books.cases[f"contradiction/{order}"]
    assert case.code == "51"
    assert Link(LinkTo.ORDER, order) in case.links
    s.returned(order, 20200, code="MD06")
    found = next(c for c in s.books.cases.values() if c.kind is CaseKind.RETURN_OF_MORE)
    assert found.code == "MD06"
    assert CASE_CODES[CaseKind.SURPLUS].other is None


def test_a_line_points_to_its_file_and_to_the_command_that_booked_it() -> None:
    """By hash and by id; the journal has the command itself, and so its words leave it out."""
    s = Scene.boarded()
    s.line(LineItem(None, None, None, 700), id="the-line", file=FILE)
    case = s.books.cases["line/the-line"]
    command = s.books.transitions[-1]
    assert case.links == (
        Link(LinkTo.LINE, "the-line"),
        Link(LinkTo.FILE, FILE),
        Link(LinkTo.COMMAND, f"c{s.count}"),
    )
    assert command.detail.endswith(f" [names_nothing; line the-line, file {FILE}]")


def test_a_payment_and_its_loan_are_pointed_to() -> None:
    """A surplus says whose money it is."""
    s = Scene.boarded()
    order = s.present()
    s.apply_outcome(order, minor=10300)
    found = next(c for c in s.books.cases.values() if c.kind is CaseKind.SURPLUS)
    assert (found.code, found.about) == ("not_owed", (Link(LinkTo.PAYMENT, f"R-{order}"),))
    assert found.about[0] in found.links


def test_what_failed_says_by_which_fault() -> None:
    """A dead letter its error and message, a file its cause and hash."""
    books = MemoryBooks()
    books.apply(
        RecordDeadLetter(
            id="dead",
            actor=TESTER,
            message=7,
            death=1,
            topic="notice",
            error="ConnectError",
            tries=3,
            meaning="nobody was told",
        )
    )
    books.apply(
        RecordStatementBreak(
            id="broken",
            actor=TESTER,
            what=StatementBreak.FILE_REFUSED,
            subject="f.xml",
            text="no XML",
            file=FILE,
            cause="XmlFault",
        )
    )
    dead, refused = books.cases["outbox/7"], books.cases["statement_refused/f.xml"]
    assert (dead.code, Link(LinkTo.MESSAGE, "7") in dead.links) == ("ConnectError", True)
    assert (refused.code, Link(LinkTo.FILE, FILE) in refused.links) == ("XmlFault", True)


def test_links_are_bounded_each_once_and_named() -> None:
    """An endless list or name would make a case that cannot be kept."""
    many = [Link(LinkTo.ORDER, f"N-{number}") for number in range(LINKS_MOST + 5)]
    assert linked(many, many) == tuple(many[:LINKS_MOST])
    (long,) = linked([Link(LinkTo.FILE, "x" * 2_000)], [Link(LinkTo.FILE, "")])
    assert len(long.name) == NAME_MOST
    assert in_words([*many[:1], Link(LinkTo.COMMAND, "c")]) == "order N-0"


def test_a_case_that_comes_again_says_anew_why_and_keeps_what_it_pointed_to() -> None:
    """The new evidence first."""
    s = Scene.boarded()
    case = Case("k", CaseKind.LINE_FAILED, "a case", code="One", links=(Link(LinkTo.FILE, "a"),))
    for one in (case, replace(case, code="Two", links=(Link(LinkTo.FILE, "b"),))):
        work = Work(s.books._aggregates(), close_out=close_out)
        work.open_case(one)
        work.close_case("k")
        s.books._keep(work.finish(Done()))
        s.books.at += timedelta(hours=1)
    kept = s.books.resolved["k"]
    assert (kept.code, [link.name for link in kept.links]) == ("Two", ["b", "a"])
    assert From(CASE_CODES[kept.kind].other or "") is From.FAULT
    assert codes.CODE_MOST == 60
