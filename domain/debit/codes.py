"""Types of the return-code tables and of the retry limits of schemes and regulators.

The rows themselves are data files of the adapters; here is only what a row says.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from domain.debit.outcome import OutcomeClass

_NEAREST_MOST = 3
_LEAST_LIKENESS = 0.5
"""Of two codes, as `difflib` measures it."""
_SIGNS = re.compile(r"[^A-Z0-9]")
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
RefusalAction = Literal[
    "post",
    "post_and_case",
    "inquire",
    "inquire_and_case",
    "retry",
    "fix_account",
    "new_mandate",
    "contact",
    "fix_data",
    "dispute",
    "stop",
    "reopen",
    "update_details",
]
"""What we do next about a debit that ended with a code; one word per kind of work."""


@dataclass(frozen=True, slots=True)
class LocalText:
    """A sentence in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class CodeRow:
    """What one code of one rail product means.

    Attributes:
        text: the rail's own words, in the language of its list; `text_en` in English.
        machine_retry: whether a machine may present the debit again.
        retry_limit: how many times again at most, None where `machine_retry` is false.
        retry_within_days: calendar days from the first presentment, None where no rule is known.
        wait_hours: least wait before the next presentment, 0 where no rule is known.
        finality: until when the result may still change, in words.
        borrower: text for the borrower; `can_do` what they can do about it.
        source: document that the row was taken from, with its grade of confidence.
    """

    rail: str
    product: str
    code: str
    text: str
    text_en: str
    outcome_class: OutcomeClass
    machine_retry: bool
    retry_limit: int | None
    retry_within_days: int | None
    wait_hours: int
    finality: str
    action: RefusalAction
    borrower: LocalText
    can_do: LocalText
    source: str


@dataclass(frozen=True, slots=True)
class CodeTable:
    """All codes of one rail product; `unknown` is the row for a code that no list holds."""

    rail: str
    product: str
    rows: Mapping[str, CodeRow]
    unknown: CodeRow

    def lookup(self, code: str) -> CodeRow:
        """The row of `code`; never an error: an unmapped code is UNKNOWN_CODE, not a failure."""
        return self.rows.get(code, self.unknown)

    def nearest(self, code: str) -> tuple[CodeRow, ...]:
        """The rows whose codes are most like one that no row has, the nearest first."""
        known = {_bare(row.code): row for row in reversed(list(self.rows.values()))}
        names = get_close_matches(_bare(code), known, _NEAREST_MOST, _LEAST_LIKENESS)
        return tuple(known[name] for name in names)


def _bare(code: str) -> str:
    """A code without what former systems write differently: case, signs and leading zeros."""
    return _ZEROS.sub("", _SIGNS.sub("", code.upper()))


@dataclass(frozen=True, slots=True)
class RetryLimit:
    """A rule of a scheme, a regulator or a card network about presenting a debit again.

    Attributes:
        id: stable name that a refusal carries, such as `nacha.reinitiation`.
        applies_to: codes of the last attempt that the rule is about; empty means every code.
        only_codes: when not empty, nothing but these codes may be presented again.
        presentations_max: presentments of one installment in all, the first included.
        within_days: calendar days from the first presentment after which no other may follow.
        rolling_max: presentments within any `rolling_hours`.
        failures_in_a_row: consecutive failures, after which new authority is needed.
        across_loans: the rule counts every loan of the payer with this lender.
        wait_hours: least wait after the last attempt.
        source: the rule's text.
    """

    id: str
    source: str
    applies_to: tuple[str, ...] = ()
    only_codes: tuple[str, ...] = ()
    presentations_max: int | None = None
    within_days: int | None = None
    rolling_max: int | None = None
    rolling_hours: int = 0
    failures_in_a_row: int | None = None
    across_loans: bool = False
    wait_hours: int = 0

    def covers(self, code: str) -> bool:
        """Whether the rule is about an attempt that ended with `code`."""
        return not self.applies_to or code in self.applies_to
