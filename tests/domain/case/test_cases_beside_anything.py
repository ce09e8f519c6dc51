"""Whatever people do about cases, between any news in any order, the books stay whole."""

from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from domain.case.case import CASE, ByHand
from domain.kernel.command import Actor
from domain.loan.change import Change
from tests.domain.loan.decide.test_anything_goes import PICK, Anything
from tests.support.doors import AssignCase, ReopenCase, ResolveCase

ANN = Actor("operator", "ann")


class Worked(Anything):
    """Two people resolve, reopen and assign cases while everything else goes on."""

    def _check_wakes(self, change: Change) -> None:
        mine = tuple(
            message
            for message in change.messages
            if message.topic == "notice" or message.payload.view.subject.kind != CASE
        )
        super()._check_wakes(replace(change, messages=mine))

    @rule(pick=PICK, kind=st.sampled_from([ResolveCase, ResolveCase, ReopenCase, AssignCase]))
    def work_on_a_case(self, pick: int, kind: type) -> None:
        """Resolve, open again or assign one that there is, with the approval that it needs."""
        found = self.books.resolved if kind is ReopenCase else self.books.cases
        keys = sorted(found)
        if not keys:
            return
        more = {
            ResolveCase: {"resolution": ByHand.ACCEPTED, "approver": "ben"},
            AssignCase: {"assignee": "ann"},
        }.get(kind, {})
        self._give(kind, ANN, case=keys[pick % len(keys)], **more)


Worked.TestCase.settings = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


class TestCasesBesideAnything(Worked.TestCase):  # type: ignore[misc, valid-type]
    """Orders on cases never break what must hold of money, moves and gates."""
