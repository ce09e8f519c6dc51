"""The words of stories in English, by the kinds of what happened."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.case.deadletter import MESSAGE_ORDERS
from domain.loan.mandates import MANDATE_ORDERS
from domain.registry import KINDS

ENTRIES: Mapping[str, str] = MappingProxyType(
    {
        "fell_due": "fell due: {owed} is owed",
        "penalty_accrued": "penalty of {owed} was added",
        "penalty_reversed": "penalty of {owed} was taken back",
        "confirmed": "the rail reports {clearing} taken{paid}",
        "confirmed_late": "{clearing} came by an order that had ended already{paid}",
        "raised": "the order took {clearing} more than was reported first{paid}",
        "brought_over": "{clearing} came before the loan was brought over{paid}",
        "settled": "the bank's statement proves {bank} on the account",
        "returned": "a debit of {clearing} was taken back{again}",
        "return_settled": "the bank's statement proves the return: {bank} left the account",
        "applied": "waiting money pays {owed}",
        "unapplied": "money that had paid {owed} waits again",
        "advanced": "{advance} is kept for later installments",
        "payment_recorded": "a payment of {clearing} is reported{paid}",
        "identified": "a bank line that waited proves {clearing}",
        "return_identified": "a bank line that waited proves that {clearing} went back",
        "match_undone": "a bank line no longer proves {clearing}; its money waits again",
        "return_undone": "{clearing} was not taken back after all",
        "outcome_corrected": "{clearing} was not taken, as people had stated{again}",
        "withdrawn": "a reported payment of {clearing} was withdrawn as an error{again}",
        "charged": "{owed} was charged besides the schedule",
        "waived": "{owed} was forgiven",
        "written_off": "{owed} was written off and stays collectable",
        "recovered": "money came in on what had been written off",
        "recovery_reversed": "money on what had been written off was taken back",
        "held_for_others": "a party holds on its account what is due to others",
        "cancelled": "{owed} is no longer asked for",
        "taken_back": "{receivable} that was paid out is to be given back",
        "set_off": "{receivable} that was to be given back is set off",
        "payout_instructed": "{paying} is ordered to be paid out",
        "payout_failed": "{paying} was not paid out",
        "payout_proven": "the bank's statement proves that {paying} left",
        "payout_returned": "a payout of {payable} came back",
    }
)
"""Entries by event, with sums of their postings by kind of account."""
MOVES: Mapping[str, str] = MappingProxyType(
    {
        "boarded": "boarded",
        "reminder_queued": "a reminder is sent",
        "notice_delivered": "the reminder was delivered",
        "notice_failed": "the reminder did not arrive",
        "notice_unanswered": "nobody has said whether the reminder arrived",
        "debit_intended": "a debit is ordered",
        "order_found": "an order that had ended may have been executed after all; "
        "the rail is asked",
        "outcome_overdue": "the outcome is not known; the rail is asked",
        "attempt_ended_retryable": "the debit failed and will be tried again",
        "attempt_ended_finally": "the debit failed and a machine may not try again",
        "attempt_withdrawn": "the debit was not executed",
        "retry_withdrawn": "the debit did not leave; it will be tried again",
        "mandate_registered": "a mandate was registered",
        "mandate_joined": "a loan came under the mandate",
        "mandate_left": "a loan left the mandate",
        "mandate_applied": "the terms of the mandate have changed",
        "paid_in_full": "paid in full",
        "paid_in_part": "paid in part",
        "attempts_exhausted": "no attempt is left",
        "mandate_ended": "the authority to debit has ended",
        "due_date_changed": "the due date was changed",
        "retry_ordered": "another attempt was ordered",
        "not_yet_due": "it is not yet due",
        "payments_settled": "every payment is proven at the bank",
        "payment_unproven": "money that no bank line proves yet pays it now",
        "release_proven": "nothing more can be asked of the borrower: released",
        "evidence_complete": "the evidence is complete: closed",
        "match_undone": "a match with the bank was undone",
        "payment_reversed_retryable": "the payment came back; it will be tried again",
        "payment_reversed_finally": "the payment came back and a machine may not try again",
        "payment_reversed": "a payment came back",
        "guarantor_paid": "the guarantor paid",
        "written_off": "written off",
        "recovered_in_full": "recovered in full",
        "recovery_reversed": "what had been recovered is written off again",
        "cancelled": "cancelled",
        "got_nothing": "nothing was left for this loan of a payment for several",
        "closed_elsewhere": "closed before it came here",
        "penalty_capped": "the penalty stops at a cap",
        "payout_requested": "a payout is requested",
        "payout_approved": "the payout is approved",
        "payout_refused": "the payout is refused",
        "payout_cancelled": "the payout is cancelled",
        "payout_short": "its account holds too little; the payout waits",
        "payout_instructed": "the payout is ordered",
        "payout_sent_again": "the order had not left; it is sent again",
        "payout_accepted": "the channel has the order",
        "payout_unknown": "the outcome is not known; the channel is asked",
        "payout_executed": "the channel says that it was executed",
        "payout_contradicted": "the channel takes back that it was executed",
        "payout_failed": "it was not executed; its items are open again",
        "payout_late": "no bank line has come that shows it",
        "payout_proven": "a bank line shows that it left",
        "payout_learnt": "every loan knows that it is proven",
        "payout_returned": "a bank line shows that it came back",
        "payout_return_learnt": "every loan knows that it came back; its items are open again",
        "held": "put on hold",
        "case_opened": "a case was opened",
        "case_amended": "a case says another amount",
        "case_suggested": "a case suggests what to do",
        "case_assigned": "a case was given to a person",
        "case_noted": "a note was added to a case",
        "case_wait_ordered": "a case was put aside",
        "case_wait_ended": "a case that was put aside is due again",
        "case_wait_ended_assigned": "a case that was put aside is due again",
        "case_reminded": "nobody had taken a case; its team was reminded",
        "case_escalated": "a case had not ended; it was handed up",
        "case_resolved": "a case ended",
        "case_reopened": "a case was opened again",
        "unheld": "the hold ended",
    }
)
"""Moves by event."""
IN_PART: Mapping[str, str] = MappingProxyType(
    {
        "attempt_ended_retryable": "the debit took a part; the rest will be tried again",
        "attempt_ended_finally": "the debit took a part; a machine may not try the rest again",
    }
)
"""Moves of an order that took a part of what it asked for."""
COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "board_loan": "loan boarded",
        "roll_day": "a new day began",
        "queue_reminder": "reminder queued",
        "intend_debit": "debit ordered",
        "renew_send": "debit order sent again",
        "record_outcome": "the rail reported an outcome",
        "record_unsent": "the debit order did not leave",
        "record_return": "the rail reported a return",
        "record_unparsed_event": "the rail reported what cannot be parsed",
        "record_delivery_report": "the message provider reported",
        "book_line": "bank line booked",
        "review": "evidence reviewed",
        "record_statement_break": "a bank's file, statement or line is not as it should be",
        "suggest_match": "the passes of matching suggest something for a bank line",
        "end_statement_break": "what a bank's file or statement lacked has come",
        "record_dead_letter": "a message could not be delivered",
        "record_redelivery": "a message was delivered after all",
        **{kind: order.story for of in KINDS.values() for kind, order in of.orders.items()},
        **{kind: order.story for kind, order in MESSAGE_ORDERS.items()},
        **{kind: order.story for kind, order in MANDATE_ORDERS.items()},
        "record_filed": "the debit order was put in a file",
        "record_mandate_ended": "the rail reported the end of the mandate",
        "request_payout": "payout requested",
        "instruct_payout": "payout ordered",
        "review_payout": "payout reviewed",
        "record_learnt": "the payout's loans have learnt",
        "record_payout_outcome": "the channel reported an outcome",
        "record_payout_unsent": "the payout did not leave",
        "raise_payout": "a person was asked about a payout",
        "set_off": "shares set off",
        "record_remitted": "the loan learnt of a payout",
        "act_on_case": "the deadline of a case was reached",
        "record_figure": "the figure of a rule was compared",
        "raise_operator": "a person was asked",
    }
)
"""Commands by kind."""
ASKED: Mapping[str, str] = MappingProxyType(
    {"answer": "the rail's answer", "inquiry": "the rail was asked"}
)
"""What an outcome is that nobody reported, by the second part of its command's id."""
LACKS: Mapping[str, str] = MappingProxyType(
    {
        "not_due": "its due date",
        "owed": "money that is still owed",
        "live_attempt": "the outcome of a debit",
        "waiting": "money that waits to be applied",
        "unproven": "a bank line that proves the money",
        "return_window": "the end of the return window",
        "hold": "the end of the hold",
        "case": "the end of a case",
        "held": "a share on its payee's own account",
        "remittance": "a share that is sent on to its payee",
    }
)
"""What `domain.loan.closure` finds lacking, by its codes."""
