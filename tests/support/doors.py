"""The commands that tests give to the books, by the names that tests use for them.

Tests import commands from here and nowhere else, so that a command can be renamed or moved in the
domain by changing one line of this file.
"""

from domain.case.commands import (
    ActOnCase,
    AssignCase,
    NoteCase,
    ReopenCase,
    ResolveCase,
    TransferCase,
    WaitCase,
)
from domain.case.deadletter import DropMessage, RecordDeadLetter, RecordRedelivery, RetryMessage
from domain.kernel.command import Actor, Command, Scope
from domain.loan.boarding import BoardLoan, Past
from domain.loan.charge import Charge
from domain.loan.commands import (
    ORDERS,
    ActionCommand,
    BookLine,
    Cancel,
    ChangeDate,
    Hold,
    IntendDebit,
    Order,
    QueueReminder,
    RaiseOperator,
    RecordDeliveryReport,
    RecordOutcome,
    RecordPayment,
    RecordReturn,
    RecordUnsent,
    RenewSend,
    RetryNow,
    Review,
    RollDay,
    Unhold,
    Waive,
    WriteOff,
)
from domain.loan.filing import RecordFiled, WithdrawDebit
from domain.loan.mandates import ClearMandate, EndMandate, RecordMandateEnded, ReplaceMandate
from domain.loan.matching import Also, MatchLine, UndoMatch, WithdrawPayment
from domain.loan.remitting import RecordRemitted, SetOff
from domain.loan.stating import StateOutcome
from domain.loan.unparsed import RecordUnparsedEvent
from domain.payout.commands import (
    ApprovePayout,
    CancelPayout,
    InstructPayout,
    RaisePayout,
    RecordLearnt,
    RecordPayoutOutcome,
    RecordPayoutUnsent,
    RefusePayout,
    RequestPayout,
    ReviewPayout,
    SettlePayout,
)
from domain.statement.broken import EndStatementBreak, RecordStatementBreak

AnyCommand = Command

__all__ = [
    "ORDERS",
    "ActOnCase",
    "ActionCommand",
    "Actor",
    "Also",
    "AnyCommand",
    "ApprovePayout",
    "AssignCase",
    "BoardLoan",
    "BookLine",
    "Cancel",
    "CancelPayout",
    "ChangeDate",
    "Charge",
    "ClearMandate",
    "Command",
    "DropMessage",
    "EndMandate",
    "EndStatementBreak",
    "Hold",
    "InstructPayout",
    "IntendDebit",
    "MatchLine",
    "NoteCase",
    "Order",
    "Past",
    "QueueReminder",
    "RaiseOperator",
    "RaisePayout",
    "RecordDeadLetter",
    "RecordDeliveryReport",
    "RecordFiled",
    "RecordLearnt",
    "RecordMandateEnded",
    "RecordOutcome",
    "RecordPayment",
    "RecordPayoutOutcome",
    "RecordPayoutUnsent",
    "RecordRedelivery",
    "RecordRemitted",
    "RecordReturn",
    "RecordStatementBreak",
    "RecordUnparsedEvent",
    "RecordUnsent",
    "RefusePayout",
    "RenewSend",
    "ReopenCase",
    "ReplaceMandate",
    "RequestPayout",
    "ResolveCase",
    "RetryMessage",
    "RetryNow",
    "Review",
    "ReviewPayout",
    "RollDay",
    "Scope",
    "SetOff",
    "SettlePayout",
    "StateOutcome",
    "TransferCase",
    "UndoMatch",
    "Unhold",
    "WaitCase",
    "Waive",
    "WithdrawDebit",
    "WithdrawPayment",
    "WriteOff",
]
