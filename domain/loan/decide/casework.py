"""The cases of one decision: opened, amended and ended, with their moves and their drivers.

`Work` adds what a case does to the loan that it is about.
"""

from abc import abstractmethod
from collections.abc import Collection
from dataclasses import replace

from domain.case import agenda
from domain.case.case import Case, Resolution
from domain.case.codes import code_for
from domain.case.decide import reopened, resolved
from domain.case.item import ALIKE_MOST, Alike, CaseItem
from domain.case.kinds import CASE_RULES, CaseKind
from domain.case.lifecycle import CaseEvent
from domain.case.links import in_words, linked, links_of
from domain.case.notice import level_of, notice
from domain.case.policy import CasePolicy
from domain.kernel.change import LetterFate, Transition
from domain.kernel.command import Command
from domain.kernel.driver import inform
from domain.kernel.message import Message
from domain.kernel.subject import Subject
from domain.loan.change import Aggregates
from domain.statement.casecodes import CODES

_SAID_ANEW = (
    "kind", "text", "loan_id", "number", "payment", "line", "amount_minor", "currency", "tenant",
    "owner", "code", "suggestion",
)  # fmt: skip
"""What a case that comes again says as if it were new."""

_SUGGESTED = "; suggested: "


class CaseWork:
    """The part of a decision that is about cases."""

    def __init__(self, aggregates: Aggregates, command: Command | None = None) -> None:
        self.at = aggregates.at
        self._command = command
        self.rules = aggregates.rules
        self.cases: dict[str, Case] = dict(aggregates.cases)
        """The open ones of what the command is about."""
        self._others: dict[str, Case] = dict(aggregates.other_cases)
        self._changed_cases: dict[str, None] = {}
        self._groups: dict[str, int] = dict(aggregates.groups)
        self._items: dict[tuple[str, str], CaseItem] = {
            (item.case, item.line): item for item in aggregates.items
        }
        self._emptied: dict[str, str] = {}
        self._changed_items: dict[tuple[str, str], None] = {}
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
            code=code_for(case.kind, CODES[case.kind], case.code, self._command),
        )
        command = () if self._command is None else links_of(self._command)
        links = linked(case.links, case.about, command)
        detail = f"{case.text} [{'; '.join(filter(None, (now.code, in_words(links))))}]"
        if known is None:
            self.move_case(replace(now, links=links), CaseEvent.OPENED, detail)
            return
        again = reopened(known, self.at)
        about = {name: getattr(now, name) for name in _SAID_ANEW}
        again = replace(again, links=linked(links, known.links), **about)
        self.move_case(again, CaseEvent.REOPENED, detail)

    def open_alike(self, case: Case, alike: Alike) -> None:
        """Open the case of a line; beyond `ALIKE_MOST` of one file the line is an item of one case.

        A line that was an item once is that item again, and a case of its own is opened again.
        """
        line = case.line or ""
        mine = [item for item in self._items_of(line) if self._is_of(item, case.kind)]
        group = alike.group
        is_full = bool(group) and self._groups.get(group, 0) >= ALIKE_MOST
        if mine or (is_full and self.case(case.key) is None):
            self._add_item(case, mine[0].case if mine else alike.case, alike)
        else:
            if self.case(case.key) is None:
                self._groups[group] = self._groups.get(group, 0) + 1
            self.open_case(replace(case, group=group))

    def clear_items(self, line: str, kind: CaseKind, why: str) -> None:
        """End a line as an item of a case; its last item ends the case."""
        for item in self._items_of(line):
            if not (item.is_open and self._is_of(item, kind)):
                continue
            self._put_item(replace(item, cleared_at=self.at, reason=why))
            case = self._case_of(item)
            left = case.amount_minor - item.amount_minor
            case = replace(case, items=case.items - 1, amount_minor=left)
            self.move_case(case, CaseEvent.ITEM_CLEARED, f"{line}: {why}")
            self._emptied[case.key] = f"its last line {line}: {why}"

    def suggest_for_items(self, line: str, kinds: Collection[CaseKind], text: str) -> None:
        """Have a line that is an item of a case say what is suggested, behind what it says."""
        for item in self._items_of(line):
            is_meant = item.is_open and any(self._is_of(item, kind) for kind in kinds)
            said = f"{item.text.partition(_SUGGESTED)[0]}{_SUGGESTED}{text}"
            if is_meant and item.text != said:
                self._put_item(replace(item, text=said))
                self.move_case(self._case_of(item), CaseEvent.SUGGESTED, f"{line}: {text}")

    def _end_emptied(self) -> None:
        """End the cases whose last item is cleared, and was not added again by this command."""
        for key, why in self._emptied.items():
            if not (self.cases.get(key) or self._others[key]).items:
                self.close_case(key, why)

    def _add_item(self, about: Case, key: str, alike: Alike) -> None:
        line = about.line or ""
        known = self._items.get((key, line))
        if known is not None and known.is_open:
            return
        case = self.case(key)
        if case is None or not case.is_open:
            text, minor = (alike.text, 0) if case is None else (case.text, case.amount_minor)
            case = Case(key, about.kind, text, amount_minor=minor, currency=about.currency)
            self.open_case(replace(case, code=about.code))
        item = CaseItem(key, line, about.text, about.amount_minor, about.currency, self.at)
        self._put_item(item)
        case = self._case_of(item)
        case = replace(
            case,
            amount_minor=case.amount_minor + item.amount_minor,
            items=case.items + 1,
            items_ever=case.items_ever + (known is None),
        )
        self.move_case(case, CaseEvent.ITEM_ADDED, line)

    def _items_of(self, line: str) -> list[CaseItem]:
        return [item for item in self._items.values() if item.line == line]

    def _is_of(self, item: CaseItem, kind: CaseKind) -> bool:
        case = self.case(item.case)
        return case is not None and case.kind is kind

    def _case_of(self, item: CaseItem) -> Case:
        return self.cases.get(item.case) or self._others[item.case]

    def _put_item(self, item: CaseItem) -> None:
        self._items[(item.case, item.line)] = item
        self._changed_items[(item.case, item.line)] = None

    def follow_amount(self, case: Case) -> None:
        """Have a case say an amount for as long as there is one: opened, amended or ended."""
        known = self.cases.get(case.key)
        if not case.amount_minor:
            self.close_case(case.key)
        elif known is None:
            self.open_case(case)
        else:
            self.amend_case(known, case.amount_minor, case.text)

    def amend_case(self, case: Case, amount_minor: int, text: str | None = None) -> None:
        """Have an open case say another amount."""
        if case.amount_minor != amount_minor:
            now = replace(case, amount_minor=amount_minor, text=text or case.text)
            self.move_case(now, CaseEvent.AMENDED, now.text)

    def reword_case(self, key: str, text: str) -> None:
        """Have an open case say more, if one of the key is open."""
        if (case := self.cases.get(key)) is not None and case.text != text:
            self.move_case(replace(case, text=text), CaseEvent.AMENDED, text)

    def close_case(self, key: str, why: str = "") -> None:
        """End the case of a key, if one is open: what it waited for has come."""
        if (case := self.cases.get(key)) is not None:
            ended = resolved(case, self.at, Resolution.CLEARED)
            detail = f"{Resolution.CLEARED.value}: {why}" if why else Resolution.CLEARED.value
            self.move_case(ended, CaseEvent.RESOLVED, detail)

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
        if level := level_of(case, event, self.case_policy):
            self._messages.append(notice(case, level, self.at))
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

        A case has a driver from the day on which it is assigned to somebody, or from its opening if
        its kind demands one.
        """
        case = self.cases.get(key) or self._others[key]
        demanded = case.is_open and CASE_RULES[case.kind].driven
        opening = (bool(case.assignee) or demanded) and not case.driver.opened
        case = replace(case, version=case.version + 1)
        if not (case.driver.opened or opening):
            return self._keep_case(case)
        view = agenda.view_of(case, self.case_policy, self.at)
        answered = self._from_driver and subject == case.subject
        record = replace(case.driver, opened=True)
        driver, message = inform(record, view, answered=answered, opening=opening)
        if message is not None:
            self._messages.append(message)
        return self._keep_case(replace(case, driver=driver))

    def _keep_case(self, case: Case) -> Case:
        (self.cases if case.is_open else self._others)[case.key] = case
        return case
