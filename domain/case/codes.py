"""The cause code of a case: why it was opened, in one word, from one table by kind.

A code is a word of this table, or, where the kind takes them, the code of a rail or bank, the type
of its report, the name of a fault, or the name of a rule of the policy. The codes of cases about
controls over statements are the rules of the controls (`domain/statement/casecodes.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from domain.case.kinds import CaseKind
from domain.errors import InvariantBroken
from domain.kernel.command import Command

CODE_MOST = 60
"""Longest cause code; what a rail sends is cut."""


class From(StrEnum):
    """Who else may say the code of a kind."""

    RAIL = "rail"
    """The rail or bank: the code of the report that opened the case."""
    TYPE = "type"
    """The rail: the type that its report claims to be, where nothing else of it can be read."""
    FAULT = "fault"
    """The program that failed: the class or cause of the fault."""
    RULE = "rule"
    """The policy: the name of its rule."""


@dataclass(frozen=True, slots=True)
class CaseCodes:
    """The codes of one kind: the usual one first.

    Attributes:
        words: codes of ours.
        other: who else may say it; None where nobody may.
    """

    words: tuple[str, ...]
    other: From | None = None

    @property
    def usual(self) -> str:
        """The code where whoever opens the case says nothing more."""
        return self.words[0]


_K, _F = CaseKind, From
_LEGS = (
    "tell_bureau", "stop_charges", "end_mandate", "stop_collection", "release_guarantor",
    "issue_certificate", "tell_borrower", "revoke_certificate", "correct_bureau",
    "recall_guarantor", "tell_revoked",
)  # fmt: skip
"""The legs of a loan's closure (`domain.loanclosure.rules.LegKind`); a test compares the two."""
CASE_CODES: Mapping[CaseKind, CaseCodes] = MappingProxyType(
    {
        _K.CONTRADICTION: CaseCodes(
            ("reports_differ", "not_believed", "amounts_differ", "bookings_differ", "proof_undone"),
            _F.RAIL,
        ),
        _K.LINE_CONTRADICTION: CaseCodes(("said_anew",)),
        _K.MORE_THAN_ORDERED: CaseCodes(("more_than_ordered",), _F.RAIL),
        _K.LINE_DIFFERS: CaseCodes(("amounts_differ",)),
        _K.COMPLAINT: CaseCodes(("complaint",)),
        _K.MANDATE_DISPUTE: CaseCodes(("disputed",), _F.RAIL),
        _K.OTHER_ACCOUNT: CaseCodes(("not_routed", "went_back_elsewhere")),
        _K.UNMATCHED_LINE: CaseCodes(("names_nothing", "not_explained"), _F.RAIL),
        _K.RETURN_OF_MORE: CaseCodes(("more_than_came",), _F.RAIL),
        _K.RECEIVABLE: CaseCodes(("held_for_others", "refunded_and_returned")),
        _K.SHORTAGE: CaseCodes(("too_little_cash",)),
        _K.SPLIT_MISMATCH: CaseCodes(("other_split",), _F.RAIL),
        _K.OTHER_CURRENCY: CaseCodes(("not_of_loan", "not_of_account")),
        _K.PAYOUT_IN_DOUBT: CaseCodes(("outcome_unknown",), _F.RAIL),
        _K.SURPLUS: CaseCodes(("not_owed", "paid_twice")),
        _K.LATE_SUCCESS: CaseCodes(("taken_after_end",), _F.RAIL),
        _K.DOUBLE_EXECUTION: CaseCodes(("taken_again",), _F.RAIL),
        _K.REFUND_OVERDUE: CaseCodes(("too_late",)),
        _K.REFUND_UNREACHABLE: CaseCodes(("not_reached",), _F.RAIL),
        _K.NEEDS_OPERATOR: CaseCodes(("asked_for",)),
        _K.UNSETTLED: CaseCodes(("not_proven_in_time", "not_remitted")),
        _K.DEFECTIVE_SUCCESS: CaseCodes(("taken_with_defect",), _F.RAIL),
        _K.UNKNOWN_CODE: CaseCodes(("no_code",), _F.RAIL),
        _K.UNKNOWN_ORDER: CaseCodes(("no_such_order",), _F.RAIL),
        _K.UNPARSED_EVENT: CaseCodes(("cannot_be_read",), _F.TYPE),
        _K.NO_REMINDER_DELIVERED: CaseCodes(("not_delivered",)),
        _K.RETURNED_AFTER_CLOSING: CaseCodes(("returned",), _F.RAIL),
        _K.PAYOUT_FAILED: CaseCodes(("not_executed",), _F.RAIL),
        _K.REMITTANCE_RETURNED: CaseCodes(("came_back",)),
        _K.REMITTANCE_SHORTFALL: CaseCodes(("too_little_remitted",)),
        _K.STATEMENT_MISSING: CaseCodes(("did_not_arrive",)),
        _K.STATEMENT_REFUSED: CaseCodes(("cannot_be_read",), _F.FAULT),
        _K.STATEMENT_NOT_FETCHED: CaseCodes(("cannot_be_fetched",), _F.FAULT),
        _K.LINE_FAILED: CaseCodes(("not_booked",), _F.FAULT),
        _K.UNREGISTERED_ACCOUNT: CaseCodes(("not_registered",)),
        _K.UNKNOWN_MANDATE: CaseCodes(("no_such_mandate",), _F.RAIL),
        _K.MANDATE: CaseCodes(("not_covered", "refused"), _F.RAIL),
        _K.MANDATE_BARRED: CaseCodes(("refused",), _F.RAIL),
        _K.READ_DIFFERENTLY: CaseCodes(("other_reading",)),
        _K.REPORT_OF_ANOTHER_CHANNEL: CaseCodes(("other_channel",)),
        _K.RAIL_OUTAGE: CaseCodes(("no_answer",), _F.FAULT),
        _K.THRESHOLD: CaseCodes(("at_limit",), _F.RULE),
        _K.DEAD_LETTER: CaseCodes(("not_delivered",), _F.FAULT),
        _K.CLOSURE_OVERDUE: CaseCodes(_LEGS),
        _K.CLOSURE_REJECTED: CaseCodes(_LEGS),
    }
)
"""One row for each kind but those of controls over statements."""


def code_for(kind: CaseKind, codes: CaseCodes, said: str, command: Command | None) -> str:
    """The cause code of a case that a command opens.

    It is what the opener says, else the code of the report where the kind takes codes of rails,
    else the usual one of the kind.

    Raises:
        InvariantBroken: the opener says a word that the kind does not have, and nobody else may say
            one. Such words are written in our own code and never come from a sender, so it is the
            opener that is wrong; the usual code instead would hide that.
    """
    if not said and codes.other is From.RAIL:
        said = _reported(command)
    code = said.strip()[:CODE_MOST] or codes.usual
    if codes.other is None and code not in codes.words:
        raise InvariantBroken(f"{code!r} is no cause code of {kind}: {', '.join(codes.words)}")
    return code


def _reported(command: Command | None) -> str:
    """The code in a report of a rail: of an outcome, a return, or the end of a mandate."""
    outcome = getattr(command, "outcome", None)
    code = getattr(outcome, "code", None) or getattr(command, "code", None)
    return code if isinstance(code, str) else ""
