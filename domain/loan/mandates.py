"""What rails report about mandates, and what people order about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from domain.kernel.command import ReportCommand, Scope
from domain.kernel.order import OperatorOrder
from domain.loan import casekeys


def unknown_mandate_key(rail: str, mandate: str) -> str:
    """The key of the case about the end of a mandate that the books do not hold."""
    return f"unknown_mandate/{rail}/{mandate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMandateEnded(ReportCommand):
    """A rail, or the payer's bank, reports that a mandate has ended.

    `ended_on` is the first day on which no debit may be value-dated, `code` the reason as the rail
    writes it, `source` the way by which it was learned, such as `webhook`.
    """

    kind: Literal["record_mandate_ended"] = "record_mandate_ended"
    rail: str
    mandate: str
    ended_on: date
    code: str
    source: str

    def dedup_key(self) -> str | None:
        """One end of one mandate on one day is one fact, whoever reports it."""
        return f"mandate/{self.rail}/{self.mandate}/{self.ended_on}"

    def scope(self) -> Scope:
        """The mandate, and every loan under it."""
        return Scope(under_mandates=(self.mandate,), mandate_roots=(self.mandate,))


@dataclass(frozen=True, slots=True, kw_only=True)
class MandateOrder(OperatorOrder):
    """An operator's order on a mandate; `approver` is who agreed to it, if anybody did."""

    subject: ClassVar[tuple[str, ...]] = ("mandate",)

    mandate: str
    approver: str | None = None

    def scope(self) -> Scope:
        """The mandate, and every loan under it."""
        cases = (casekeys.barred(self.mandate),)
        return Scope(under_mandates=(self.mandate,), mandate_roots=(self.mandate,), cases=cases)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndMandate(MandateOrder):
    """End the mandate for all its loans: no debit is value-dated on or after the day."""

    story: ClassVar[str] = "end of mandate ordered"

    kind: Literal["end_mandate"] = "end_mandate"
    ended_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceMandate(MandateOrder):
    """Put one loan under another mandate of its payer, from the next debit on.

    One that the books know keeps its terms, and these must be the same.
    """

    story: ClassVar[str] = "new mandate ordered"

    kind: Literal["replace_mandate"] = "replace_mandate"
    loan: str
    ref: str
    account_token: str
    valid_from: date
    valid_to: date | None = None
    cap_minor: int | None = None
    attempts_max: int | None = None

    def scope(self) -> Scope:
        """Its loan and both mandates."""
        roots = (self.mandate, self.ref)
        return Scope(
            loans=(self.loan,),
            mandate_roots=roots,
            accounts=(self.account_token,),
            cases=(casekeys.barred(self.mandate),),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearMandate(MandateOrder):
    """End the bar of a hard refusal, so that debits go out again; a second person agrees.

    `proof` names what shows that the next debit will not be refused as well.
    """

    story: ClassVar[str] = "end of the bar ordered"

    kind: Literal["clear_mandate"] = "clear_mandate"
    proof: str


AnyMandateOrder = EndMandate | ReplaceMandate | ClearMandate
MANDATE_ORDERS: Mapping[str, type[AnyMandateOrder]] = MappingProxyType(
    {item.pinned(): item for item in get_args(AnyMandateOrder)}
)
"""Every order on a mandate by its kind."""
