"""The cases about a booked line: one that nothing (or not all) explains, or that is said anew.

A line that waits has a case of kind `unmatched_line`, or `other_currency` where its currency is not
that of its account or of a loan that it names.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from domain.case.case import Case
from domain.case.item import Alike
from domain.case.kinds import OF_WAITING_LINES, CaseKind
from domain.case.lifecycle import CaseEvent
from domain.kernel.change import Done
from domain.loan import casekeys
from domain.loan.aggregate import LineState
from domain.loan.change import Change
from domain.loan.decide.work import Work
from domain.loan.matching import SuggestMatch
from domain.money import amount_text
from domain.statement.statement import StatementLine

Named = tuple[str, int | None]
"""A loan that a line names, and the installment where that is known."""
SAID_ANEW = CaseKind.LINE_CONTRADICTION
NAMED_MOST = 200
"""Loans of one line that get a case of their own; a larger batch has only the case of the line."""
_SHOWN_MOST = 5


def open_case_of_line(work: Work, line: LineState, named: Sequence[Named], file: str = "") -> None:
    """Open the case of a line that waits, and one for each loan when it names several.

    No debit of an installment leaves while a case of this kind names it. One of very many lines of
    a file that name nobody is an item of the case of them all.
    """
    is_other = other_currency(work, line, named)
    kind = CaseKind.OTHER_CURRENCY if is_other else CaseKind.UNMATCHED_LINE
    text = _unexplained(work, line, named)
    case = Case(casekeys.line(line.id), kind, text, amount_minor=line.open_minor)
    case = replace(case, code=_code(work, line, kind, named))
    if named:
        open_cases(work, line, case, named)
    else:
        case = replace(case, line=line.id, currency=line.currency)
        work.open_alike(case, Alike(kind, line.currency, file))


def suggest_match(work: Work, command: SuggestMatch) -> Change:
    """Have the open cases about a line, and its item of a case, say what is suggested."""
    for case in cases_of_line(work, command.line, OF_WAITING_LINES):
        if case.suggestion != command.text:
            changed = replace(case, suggestion=command.text)
            work.move_case(changed, CaseEvent.SUGGESTED, command.text)
    work.suggest_for_items(command.line, OF_WAITING_LINES, command.text)
    return work.finish(Done(note="suggested"))


def is_of_account(work: Work, line: StatementLine | LineState) -> bool:
    """Whether a line is in the currency that its account is registered in, where it is."""
    account = work.rules.accounts.get(line.account)
    return account is None or account.currency == line.currency


def other_currency(work: Work, line: StatementLine | LineState, named: Sequence[Named]) -> bool:
    """Whether a line is in another currency than its account, or than a loan that it names."""
    loans = (work.loans[loan_id] for loan_id, _ in named if loan_id in work.loans)
    fits = all(loan.currency == line.currency for loan in loans)
    return not (fits and is_of_account(work, line))


def _code(work: Work, line: LineState, kind: CaseKind, named: Sequence[Named]) -> str:
    """Why a line waits: whose currency is another one, or whether it names anything."""
    if kind is CaseKind.OTHER_CURRENCY:
        return "not_of_loan" if is_of_account(work, line) else "not_of_account"
    return "not_explained" if named else "names_nothing"


def end_failure(work: Work, line_id: str) -> None:
    """A line that could not be booked before is booked: nobody has to look at that any more."""
    for case in cases_of_line(work, line_id, {CaseKind.LINE_FAILED}):
        work.close_case(case.key)
    work.clear_items(line_id, CaseKind.LINE_FAILED, "it was booked")


def open_cases(work: Work, line: LineState, case: Case, named: Sequence[Named]) -> None:
    """Open a case of a line about the loan that it names; of several, each gets its own besides."""
    case = replace(case, line=line.id, currency=line.currency)
    only: tuple[str | None, int | None] = named[0] if len(named) == 1 else (None, None)
    work.open_case(replace(case, loan_id=only[0], number=only[1]))
    if 1 < len(named) <= NAMED_MOST:
        text = f"line {line.id} may be about it"
        for loan_id, number in named:
            key = f"{case.key}/{loan_id}/{number or ''}"
            one = replace(case, key=key, text=text, amount_minor=0)
            if case.kind in OF_WAITING_LINES:
                is_other = other_currency(work, line, [(loan_id, number)])
                kind = CaseKind.OTHER_CURRENCY if is_other else CaseKind.UNMATCHED_LINE
                one = replace(one, kind=kind, code=_code(work, line, kind, named))
            work.open_case(replace(one, loan_id=loan_id, number=number))


def keep_case_of_line(work: Work, line: LineState, about: Sequence[Named]) -> bool:
    """Have the open case of a line say what is left of it; whether that is enough.

    Whoever has the case keeps it, with its clocks. It is not enough where there is no such case, or
    where the rest may be about a loan that none of its cases names.
    """
    known = work.cases.get(casekeys.line(line.id))
    named = _named_by(cases_of_line(work, line.id, OF_WAITING_LINES))
    if known is None or not set(about) <= set(named):
        return False
    work.amend_case(known, line.open_minor, _unexplained(work, line, named))
    _touch(work, named)
    return True


def close_cases_of_line(work: Work, line_id: str) -> list[Named]:
    """Close every case, and item of a case, that a line waits; gives the loans that they named.

    These are looked at again.
    """
    cases = cases_of_line(work, line_id, OF_WAITING_LINES)
    named = _named_by(cases)
    for case in cases:
        work.close_case(case.key)
    for kind in sorted(OF_WAITING_LINES):
        work.clear_items(line_id, kind, "it was explained, in whole or in part")
    _touch(work, named)
    return named


def _named_by(cases: Sequence[Case]) -> list[Named]:
    """The loans and installments that cases are about."""
    return [(case.loan_id, case.number) for case in cases if case.loan_id is not None]


def _touch(work: Work, named: Sequence[Named]) -> None:
    """Have installments looked at again."""
    for loan_id, number in named:
        if loan_id in work.loans and number is not None:
            work.touch(loan_id, number)


def _unexplained(work: Work, line: LineState, named: Sequence[Named]) -> str:
    """What is not explained, and whose currency is another one."""
    text = f"{amount_text(line.open_minor, line.currency)} of line {line.id} are not explained"
    others = [
        f"loan {loan_id} is in {work.loans[loan_id].currency}"
        for loan_id in dict.fromkeys(loan_id for loan_id, _ in named)
        if loan_id in work.loans and work.loans[loan_id].currency != line.currency
    ]
    if not is_of_account(work, line):
        account = work.rules.accounts[line.account]
        others.insert(0, f"account {account.name} is in {account.currency}")
    return "; ".join([text, *others[:_SHOWN_MOST]])


def cases_of_line(work: Work, line_id: str, kinds: Collection[CaseKind]) -> list[Case]:
    """The open cases of some kinds about a line."""
    return [case for case in work.cases.values() if case.kind in kinds and case.line == line_id]


def settle_contradiction(work: Work, line_id: str, loan_id: str) -> None:
    """A person has said what a line is about for a loan: what it said anew is answered there."""
    cases = cases_of_line(work, line_id, {SAID_ANEW})
    left = [case for case in cases if case.loan_id not in {None, loan_id}]
    for case in cases:
        if case not in left and not (left and case.loan_id is None):
            work.close_case(case.key)
