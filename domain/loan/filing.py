"""Debit orders that wait in a file until the rail's cut: put in another file, or taken out."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.kernel.command import ReportCommand, Scope
from domain.loan.command import OrderCommand


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFiled(ReportCommand):
    """A debit order that waits was put in the file `batch_ref`, after its intent."""

    kind: Literal["record_filed"] = "record_filed"
    order_no: str
    batch_ref: str

    def dedup_key(self) -> str | None:
        """One order is put in one file once."""
        return f"filed/{self.order_no}/{self.batch_ref}"

    def scope(self) -> Scope:
        """Found by order number."""
        return Scope(orders=(self.order_no,))


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawDebit(OrderCommand):
    """Take a debit order out of its file before the cut; hold the debits as well to end them."""

    story: ClassVar[str] = "withdrawal from the file ordered"

    kind: Literal["withdraw_debit"] = "withdraw_debit"
