"""The cause codes of every kind of case, those of controls over statements included.

The code of such a case is the rule of the control that fails.
"""

from collections.abc import Mapping
from types import MappingProxyType

from domain.case.codes import CASE_CODES, CaseCodes
from domain.case.kinds import CaseKind
from domain.statement.broken import StatementBreak
from domain.statement.controls import case_of
from domain.statement.statement import FaultRule


def _codes_of(what: StatementBreak) -> CaseCodes:
    return CaseCodes(tuple(rule.value for rule in FaultRule if case_of(rule) is what))


CODES: Mapping[CaseKind, CaseCodes] = MappingProxyType(
    {
        **CASE_CODES,
        **{
            CaseKind(what.value): _codes_of(what)
            for what in dict.fromkeys(case_of(rule) for rule in FaultRule)
        },
    }
)
"""One row for each kind; a test compares the two."""
