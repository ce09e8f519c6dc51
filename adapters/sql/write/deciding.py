"""Decides the commands of a group in order, on a `Workset`, and says what each is answered."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from adapters.sql.rows import content_of
from adapters.sql.write.workset import Items, Logged, Workset, Written
from domain.case.agenda import view_of as case_view_of
from domain.case.case import CASE, Case
from domain.case.commands import CaseCommand
from domain.debit.mandate import MANDATE
from domain.errors import Conflict, InvariantBroken
from domain.kernel.canonical import digest
from domain.kernel.change import Applied, Done, Refusal, Refused, Stamp
from domain.kernel.command import Command
from domain.kernel.subject import Subject
from domain.kernel.view import View
from domain.loan import agenda
from domain.loan.aggregate import Loan, Rulebook
from domain.loan.boarding import BoardLoan
from domain.loan.change import Aggregates, Change, Lacks
from domain.loan.closing import view_of as closure_view_of
from domain.loan.command import InstallmentCommand, LoanCommand
from domain.loan.decide import reported_again, reread
from domain.loan.mandates import MandateOrder
from domain.loan.payables import Key
from domain.loan.view import INSTALLMENT, installment, installment_of
from domain.loanclosure.closure import LOAN_CLOSURE
from domain.loanclosure.commands import ClosureCommand
from domain.payout.agenda import view_of as payout_view_of
from domain.payout.commands import PayoutCommand
from domain.payout.payout import PAYOUT
from domain.registry import decide

Decide = Callable[[Aggregates, Command], Change | Refusal]
ViewOf = Callable[[Loan, int, Rulebook, datetime, Mapping[str, Case]], View[Any]]
NextRollOn = Callable[[Loan, Rulebook, datetime], date | None]


@dataclass(frozen=True, slots=True)
class Domain:
    """The pure functions that the books call; tests put others in their place."""

    decide: Decide = decide
    view_of: ViewOf = agenda.view_of
    next_roll_on: NextRollOn = agenda.next_roll_on


DOMAIN = Domain()
ON_THE_BOOKS = "already on the books"
_BREATHE = 8
"""Commands decided before the event loop gets a turn: a large group takes half a second."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a command is answered, before the view as of the end of the group is added."""

    log: Logged
    replayed: bool


class NotLookedAt(Exception):
    """A decision lowers payable items of which nobody has read what payouts have taken."""

    def __init__(self, items: Sequence[Key]) -> None:
        super().__init__(f"{len(items)} payable items")
        self.items = items


Look = Callable[[Sequence[Key]], Awaitable[None]]


async def decide_all(
    work: Workset,
    commands: Sequence[Command],
    domain: Domain,
    mine: frozenset[str],
    look: Look,
) -> list[Applied | Refused | Exception]:
    """Decide every command; the answers carry the views as the whole group leaves them.

    A command that lowers payable items is decided again once `look` has read what payouts have
    taken of them.
    `mine` names earlier writes of these very commands whose commit was in doubt: what they brought
    is answered as new, since nobody has had that answer.

    Raises:
        Lacks: decisions must look at more than the group names; it is to be loaded with that.
    """
    results: list[Answered | Exception] = []
    lacks: list[Lacks] = []
    for index, command in enumerate(commands):
        if index % _BREATHE == _BREATHE - 1:
            await asyncio.sleep(0)
        try:
            results.append(await _looked_at(work, command, domain, mine, look))
        except Lacks as error:
            lacks.append(error)
        except Exception as error:  # noqa: BLE001  (one bad command must not take the others along)
            results.append(error)
    if lacks:
        raise Lacks(
            {ref for each in lacks for ref in each.mandates},
            {token for each in lacks for token in each.accounts},
            {payer for each in lacks for payer in each.payers},
            {key for each in lacks for key in each.payouts},
        )
    return [_finished(work, result, domain) for result in results]


async def _looked_at(
    work: Workset, command: Command, domain: Domain, mine: frozenset[str], look: Look
) -> Answered:
    """Decide one command; once more with what payouts have taken, where that is asked for."""
    try:
        return _answer(work, command, domain, mine)
    except NotLookedAt as question:
        await look(question.items)
        return _answer(work, command, domain, mine)


def _answer(work: Workset, command: Command, domain: Domain, mine: frozenset[str]) -> Answered:
    identity, known_as = command.identity(), ""
    known = work.seen.get(command.id)
    if known is not None and known.identity != identity:
        if not command.evidence:
            raise Conflict(f"command {command.id} was used for another content")
        known_as = command.id
        command = replace(command, id=reading_id(command.id, identity))
        known = work.seen.get(command.id)
    if known is not None:
        if known.answer is None and isinstance(command, BoardLoan) and _boarded(work, command):
            # Refused once, and boarded since by another way.
            return Answered(_done(command, identity, work, None, ON_THE_BOOKS), replayed=True)
        return Answered(known, known.written_by not in mine)
    dedup_key = command.dedup_key() if command.evidence else None
    if dedup_key is not None and (known := work.by_dedup_key.get(dedup_key)) is not None:
        if known_as:
            change = reread(_aggregates(work, command, known_as), known.subject)
            items = work.take(command, change)
            log = _done(command, identity, work, known.subject, "already known")
            return _kept(work, command, log, items)
        change = reported_again(_aggregates(work, command, ""), command, known.subject)
        if unknown := [key for key in change.lowers if key not in work.taken_items]:
            raise NotLookedAt(unknown)
        items = work.take(command, change)
        log = _done(command, identity, work, known.subject, "already known")
        is_news = bool(items or change.loans or change.payments or change.cases)
        return _kept(work, command, log, items, replayed=not is_news)
    if isinstance(command, BoardLoan) and _boarded(work, command):
        log = _done(command, identity, work, None, ON_THE_BOOKS)
        return _kept(work, command, log, (), replayed=True)
    decided = domain.decide(_aggregates(work, command, known_as), command)
    match decided:
        case Refusal() if command.evidence:
            raise InvariantBroken(f"evidence {command.kind} was refused: {decided.rule}")
        case Refusal():
            log = Logged(
                command.id,
                identity,
                None,
                None,
                decided.rule,
                decided.reason,
                _subject(command),
                _loan(work, command, _subject(command)),
                work.written_by,
            )
            return _kept(work, command, log, ())
        case Change():
            if unknown := [key for key in decided.lowers if key not in work.taken_items]:
                raise NotLookedAt(unknown)
            items = work.take(command, decided)
            if isinstance(command, BoardLoan):
                work.contents[command.loan_id] = content_of(command)
                work.products.setdefault(command.product.ref, digest(command.product))
            log = Logged(
                command.id,
                identity,
                dedup_key,
                decided.answer,
                "",
                "",
                decided.subject,
                _loan(work, command, decided.subject),
                work.written_by,
            )
            return _kept(work, command, log, items)


def reading_id(command_id: str, identity: str) -> str:
    """The id under which another content of known evidence is kept beside the first one."""
    return f"{command_id}~{identity[:16]}"


def _aggregates(work: Workset, command: Command, known_as: str) -> Aggregates:
    found = work.aggregates(command)
    if not known_as:
        return found
    return replace(found, known_as=known_as, from_driver=known_as in work.by_drivers)


def _boarded(work: Workset, command: BoardLoan) -> bool:
    """Whether the loan is on the books with this content already; a product ref means one thing."""
    known = work.contents.get(command.loan_id)
    if known is not None:
        if known != content_of(command):
            raise Conflict(f"loan {command.loan_id} is on the books with another content")
        return True
    ref = command.product.ref
    if work.products.get(ref, digest(command.product)) != digest(command.product):
        raise Conflict(f"product {ref} is on the books with another content")
    return False


def _done(
    command: Command, identity: str, work: Workset, subject: Subject | None, note: str
) -> Logged:
    answer = Done(note=note)
    loan_id = _loan(work, command, subject)
    return Logged(command.id, identity, None, answer, "", "", subject, loan_id, work.written_by)


def _kept(
    work: Workset,
    command: Command,
    log: Logged,
    items: Items,
    *,
    replayed: bool = False,
) -> Answered:
    stamp = Stamp(command.id, command.actor, command.reason, work.at, work.posted_on)
    work.written.append(Written(command, log, stamp, items))
    work.seen[command.id] = log
    if log.dedup_key is not None:
        work.by_dedup_key[log.dedup_key] = log
    return Answered(log, replayed)


def _subject(command: Command) -> Subject | None:
    """What a refused command was about."""
    match command:
        case InstallmentCommand():
            return installment(command.loan_id, command.number)
        case CaseCommand():
            return command.about()
        case PayoutCommand() | ClosureCommand():
            return command.about()
        case MandateOrder():
            return Subject(MANDATE, command.mandate)
        case _:
            return None


def _loan(work: Workset, command: Command, subject: Subject | None) -> str:
    """The loan in whose story a command stands: of its subject, or the one that it names."""
    if subject is not None and subject.kind == CASE:
        case = work.cases.get(subject.key)
        return (case.loan_id or "") if case is not None else ""
    if subject is not None and subject.kind == INSTALLMENT:
        return installment_of(subject)[0]
    if subject is not None and subject.kind == LOAN_CLOSURE:
        return subject.key
    return command.loan_id if isinstance(command, LoanCommand) else ""


def _finished(
    work: Workset, result: Answered | Exception, domain: Domain
) -> Applied | Refused | Exception:
    if isinstance(result, Exception):
        return result
    log = result.log
    view = None if log.subject is None else view_in(work, log.subject, domain)
    if log.answer is None:
        return Refused(log.rule, log.refusal, view, result.replayed)
    return Applied(log.answer, view, result.replayed)


def view_in(work: Workset, subject: Subject, domain: Domain) -> View[Any] | None:
    """The view of one subject as the group leaves it; None if there is none, as of a mandate."""
    if subject.kind == MANDATE:
        return None
    if subject not in work.views:
        match subject.kind:
            case kind if kind == CASE:
                view = _view_of_case(work, subject.key)
            case kind if kind == PAYOUT:
                view = _view_of_payout(work, subject.key)
            case kind if kind == LOAN_CLOSURE:
                view = _view_of_closure(work, subject.key)
            case _:
                view = _view_of(work, *installment_of(subject), domain)
        work.views[subject] = view
    return work.views[subject]


def _view_of(work: Workset, loan_id: str, number: int, domain: Domain) -> View[Any] | None:
    loan = work.loans.get(loan_id)
    if loan is None or not 1 <= number <= len(loan.installments):
        return None
    return domain.view_of(loan, number, work.rules, work.at, work.open_cases({loan_id}))


def _view_of_payout(work: Workset, key: str) -> View[Any] | None:
    payout = work.payouts.get(key)
    return None if payout is None else payout_view_of(payout, work.rules.payouts, work.at)


def _view_of_closure(work: Workset, loan_id: str) -> View[Any] | None:
    loan = work.loans.get(loan_id)
    return None if loan is None else closure_view_of(loan, work.open_cases({loan_id}), work.at)


def _view_of_case(work: Workset, key: str) -> View[Any] | None:
    case = work.cases.get(key)
    return None if case is None else case_view_of(case, work.rules.case_policy, work.at)
