"""The cases of one decision: opened, amended and ended, with their moves and their drivers.

`Work` adds what a case does to the loan that it is about.
"""

from abc import abstractmethod
from dataclasses import replace

from domain.case import agenda
from domain.case.case import Case, Resolution
from domain.case.decide import reopened, resolved
from domain.case.lifecycle import CaseEvent
from domain.case.policy import CasePolicy
from domain.kernel.change import LetterFate, Transition
from domain.kernel.driver import driver_message
from domain.kernel.message import Message
from domain.kernel.subject import Subject
from domain.loan.change import Aggregates

_SAID_ANEW = (
    "kind", "text", "loan_id", "number", "payment", "line", "amount_minor", "currency", "tenant",
    "owner",
)  # fmt: skip
"""What a case that comes again says as if it were new."""


class CaseWork:
    """The part of a decision that is about cases."""

    def __init__(self, aggregates: Aggregates) -> None:
        self.at = aggregates.at
        self.rules = aggregates.rules
        self.cases: dict[str, Case] = dict(aggregates.cases)
        """The open ones of what the command is about."""
        self._others: dict[str, Case] = dict(aggregates.other_cases)
        self._changed_cases: dict[str, None] = {}
        self._from_driver = aggregates.from_driver
        self._transitions: list[Transition] = []
        self._messages: list[Message] = []
        self._letters: dict[int, LetterFate] = {}

    @abstractmethod
    def _concern(self, case: Case) -> None:
        """What a case that was opened, amended or ended does to what it is about."""

    @abstractmethod
    def _tenant(self, case: Case) -> str:
        """The tenant of the loan that a case is about; empty where it is about none."""

    @property
    def case_policy(self) -> CasePolicy:
        """The clocks and owners of cases."""
        return self.rules.case_policy

    def case(self, key: str) -> Case | None:
        """The case as it is now in this decision, resolved ones included."""
        return self.cases.get(key) or self._others.get(key)

    def open_case(self, case: Case) -> None:
        """Open a case unless one of its key is open; one that was resolved is opened again."""
        known = self.case(case.key)
        if known is not None and known.is_open:
            return
        now = replace(
            case,
            tenant=self._tenant(case),
            opened_at=self.at,
            owner=self.case_policy.owner(case.kind),
        )
        if known is None:
            self.move_case(now, CaseEvent.OPENED, case.text)
            return
        again = reopened(known, self.at)
        about = {name: getattr(now, name) for name in _SAID_ANEW}
        self.move_case(replace(again, **about), CaseEvent.REOPENED, case.text)

    def amend_case(self, case: Case, amount_minor: int, text: str | None = None) -> None:
        """Have an open case say another amount."""
        if case.amount_minor != amount_minor:
            now = replace(case, amount_minor=amount_minor, text=text or case.text)
            self.move_case(now, CaseEvent.AMENDED, now.text)

    def close_case(self, key: str) -> None:
        """End the case of a key, if one is open: what it waited for has come."""
        if (case := self.cases.get(key)) is not None:
            ended = resolved(case, self.at, Resolution.CLEARED)
            self.move_case(ended, CaseEvent.RESOLVED, Resolution.CLEARED.value)

    def move_case(self, case: Case, event: CaseEvent, detail: str = "") -> None:
        """Write the new case, and its move to the journal."""
        before = self.case(case.key)
        self.cases.pop(case.key, None)
        self._others.pop(case.key, None)
        (self.cases if case.is_open else self._others)[case.key] = case
        self._changed_cases[case.key] = None
        source = "" if before is None else before.state.value
        loan_id = case.loan_id or ""
        self._transitions.append(
            Transition(case.subject, loan_id, source, case.state.value, event, "", None, detail)
        )
        if before is None or before.is_open is not case.is_open or event is CaseEvent.AMENDED:
            self._concern(case)

    def show_case(self, key: str) -> None:
        """Write the view of a case anew, though nothing of it has moved."""
        self._changed_cases[key] = None

    def put_letter(self, message: int, fate: LetterFate) -> None:
        """Say what becomes of a dead letter of the outbox."""
        self._letters[message] = fate

    def _report_case(self, key: str, subject: Subject | None) -> Case:
        """The case with its version raised; its driver, if it has one, is notified of news.

        A case has a driver from the day on which it is assigned to somebody.
        """
        case = self.cases.get(key) or self._others[key]
        opening = bool(case.assignee) and not case.driver.opened
        case = replace(case, version=case.version + 1)
        if not (case.driver.opened or opening):
            return self._keep_case(case)
        view = agenda.view_of(case, self.case_policy, self.at)
        answered = self._from_driver and subject == case.subject
        news = case.driver.is_news(view)
        driver = replace(case.driver, opened=True)
        driver = driver.after(view, notified=answered or opening or news)
        if opening or (news and not answered):
            self._messages.append(driver_message(view, opening=opening))
        return self._keep_case(replace(case, driver=driver))

    def _keep_case(self, case: Case) -> Case:
        (self.cases if case.is_open else self._others)[case.key] = case
        return case
