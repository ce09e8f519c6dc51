"""What each kind of case means and what to do about it: the run book of whoever takes one."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.case.kinds import CaseKind

_K = CaseKind
GUIDES: Mapping[CaseKind, str] = MappingProxyType(
    {
        _K.CONTRADICTION: (
            "Two sources say different things of one order. Ask the bank in writing which "
            "holds, record what it says as evidence, and end the case when the books agree with "
            "it."
        ),
        _K.LINE_CONTRADICTION: (
            "The bank printed one line twice with different content. Compare both statements, "
            "and match or undo the line as the bank confirms."
        ),
        _K.MORE_THAN_ORDERED: (
            "More was taken than was ordered. Hold further debits, tell the payer, and have the "
            "rail return the difference."
        ),
        _K.LINE_DIFFERS: (
            "A line is over or under what was reported. Find the fee or second payment in it, "
            "or ask the bank."
        ),
        _K.COMPLAINT: (
            "The payer complains about what was done. Answer inside the term of the law, and "
            "put right what was wrong before the case ends."
        ),
        _K.MANDATE_DISPUTE: (
            "The payer says that there was no mandate. Send the signed mandate to the bank, or "
            "give the money back."
        ),
        _K.OTHER_ACCOUNT: (
            "Money came on another account than the product routes it to. Have it moved, or "
            "undo the match if it belongs elsewhere."
        ),
        _K.UNMATCHED_LINE: (
            "Nothing explains a bank line, or part of it. `acquit match` says why, and what is "
            "suggested: accept it, or find whose money it is and match it (`acquit match force`, "
            "`acquit order LOAN/NUMBER match_line`). Give back in time what nobody can name."
        ),
        _K.OTHER_CURRENCY: (
            "A bank line is in another currency than its account, or than the loan that it names. "
            "It waits whole. Find whose money it is, and match it with a loan in its own currency "
            "(`acquit order LOAN/NUMBER match_line`); or agree how it is exchanged or sent back."
        ),
        _K.SPLIT_MISMATCH: (
            "The gateway split a payment otherwise than the product. Compare both, and have the "
            "gateway correct its side."
        ),
        _K.RETURN_OF_MORE: "More was taken back than had come. Claim the difference from the bank.",
        _K.RECEIVABLE: (
            "A party owes what was taken back after it had been paid out. Claim or set it off."
        ),
        _K.SHORTAGE: (
            "An account holds less than its items; a payout waits for it. Have whoever owes the "
            "account top it up, or find the item that left without a booking."
        ),
        _K.PAYOUT_IN_DOUBT: (
            "Nobody knows whether a payout was executed. Ask the channel by our number; never "
            "pay again before it answers."
        ),
        _K.PAYOUT_FAILED: (
            "A payout was declined, or never arrived at the channel. Correct what the code says, "
            "then end the case: the shares are requested anew at the next cut-off, or by "
            "`acquit remit`."
        ),
        _K.REMITTANCE_RETURNED: (
            "A payee's bank sent a payout back. Ask the payee for its right account, correct the "
            "policy of payees, then end the case: the shares are requested anew."
        ),
        _K.SURPLUS: (
            "Money came that nothing owed can take. Refund it, or apply it as the payer says. What "
            "a former system has not remitted it gives back itself: take the payment back here "
            "(`withdraw_payment`)."
        ),
        _K.LATE_SUCCESS: (
            "A debit that was refused, or never found, was executed all the same. Tell the "
            "payer, and apply or refund the money."
        ),
        _K.DOUBLE_EXECUTION: (
            "The bank executed one order twice. Have it return the second, or refund it."
        ),
        _K.REFUND_UNREACHABLE: (
            "A refund failed or came back. Ask the payer for another account, then end the case "
            "and request it anew with the account that a second person has checked."
        ),
        _K.REFUND_OVERDUE: (
            "A refund has not reached the payer in time. Ask the channel, or pay it another way "
            "once it is known not to have left."
        ),
        _K.NEEDS_OPERATOR: (
            "The machine cannot go on by itself; the text says at what. Give the order that is "
            "needed, then end the case: the machine looks anew."
        ),
        _K.DEFECTIVE_SUCCESS: (
            "Money was taken, with a fault that the rail names. Ask the rail what it asks of us."
        ),
        _K.UNKNOWN_CODE: (
            "The rail answered with a code that no table holds. Look it up and add it to the "
            "code table."
        ),
        _K.UNKNOWN_ORDER: (
            "The rail reports an order that the books do not hold. Ask the rail who sent it."
        ),
        _K.UNPARSED_EVENT: (
            "A report could not be read. The sender keeps it: fetch it, and correct the reader."
        ),
        _K.NO_REMINDER_DELIVERED: (
            "A debit goes out and no reminder is known to have arrived. Check the payer's "
            "address and the carrier."
        ),
        _K.RETURNED_AFTER_CLOSING: (
            "A payment was returned after its installment had closed. The installment is open "
            "again; tell the payer and correct what was reported."
        ),
        _K.RAIL_OUTAGE: (
            "A rail does not answer. Ask its operator, and hold its debits if that lasts."
        ),
        _K.MANDATE: (
            "The mandate was refused or does not cover the debit. Get a new mandate, or agree "
            "on another way to pay."
        ),
        _K.READ_DIFFERENTLY: (
            "One report was read in two ways; both were applied. Compare them, and take the "
            "wrong one back."
        ),
        _K.REPORT_OF_ANOTHER_CHANNEL: (
            "A carrier reports a message that another one sent. Check the carrier's account "
            "settings."
        ),
        _K.THRESHOLD: (
            "More waits than a rule of the case policy allows, or for longer. Find what holds it "
            "up; the case ends by itself when the figure is below its limit."
        ),
        _K.DEAD_LETTER: (
            "A message was tried to the last and never delivered; those behind it left. Read its "
            "error with `acquit outbox show`, mend the cause, then have it tried again, or drop it."
        ),
        _K.CLOSURE_OVERDUE: (
            "A leg of a loan's closure was not done in time; the code names it. Ask whoever does "
            "it. Then have it asked for again, state it as done with what proves that, or waive it "
            "(`acquit closure`)."
        ),
        _K.CLOSURE_REJECTED: (
            "Whoever does a leg of a loan's closure refuses it; the text has their reason. Put the "
            "reason right and have the leg asked for again (`acquit closure retry`)."
        ),
        _K.UNSETTLED: (
            "Money is reported and not proven at the bank in time. Ask for the missing "
            "statement, then for the money. What was paid ahead to a former system "
            "(`not_remitted`) is with that system: have it remit the amount under the reference "
            "of the opening (`advance_ref`), and the line ends the case; a line under another "
            "reference is matched with the payment that the case names (`match_line`). If it will "
            "never come, take the payment back (`withdraw_payment`): the borrower owes it again, "
            "and has it from the former system."
        ),
        _K.STATEMENT_GAP: (
            "A statement does not go on from the one before: a number, page or balance between "
            "them is missing, or a number came twice. Ask the bank for the missing file and have "
            "it read (`acquit statements upload`): the case ends by itself once it is there."
        ),
        _K.STATEMENT_UNBALANCED: (
            "What a statement says of itself does not add up, or it states no balance to compare "
            "with; its lines are booked. Ask the bank for a corrected statement: the case ends by "
            "itself when one comes that adds up. Where a bank states no balances at all, end it."
        ),
        _K.STATEMENT_MISSING: (
            "No statement of this day has come by the hour that was agreed. See that the source is "
            "reached (`acquit doctor`), then ask the bank; a file that comes by another way is "
            "handed in with `acquit statements upload`. The case ends by itself when the day is "
            "covered."
        ),
        _K.STATEMENT_REFUSED: (
            "A statement file cannot be read; nothing of it was booked. Ask the bank for a "
            "correct one."
        ),
        _K.STATEMENT_NOT_FETCHED: (
            "A statement could not be fetched. Check address and rights, or ask the bank."
        ),
        _K.STATEMENT_RESTATED: (
            "The bank sent one statement again with other content. Compare both (`acquit "
            "statements save`). It ends by itself when the statements before and after fit one of "
            "the versions only and the books hold exactly its lines; else the bank has to say."
        ),
        _K.LINE_FAILED: (
            "A bank line could not be booked; those behind it were. Read the error, and book it "
            "again."
        ),
        _K.MANDATE_BARRED: (
            "The payer's bank refused a debit for good: account, mandate or payer. Nothing more is "
            "debited under the mandate. Put its loans under another one, or clear it (docs/"
            "overrides.md) once somebody has shown that the next debit will not be refused as well."
        ),
        _K.UNKNOWN_MANDATE: (
            "A rail reports the end of a mandate that the books do not hold. Ask the rail whose it "
            "is. No loan is boarded under it while this case is open; end it if it was a mistake."
        ),
        _K.UNREGISTERED_ACCOUNT: (
            "A statement has lines on a bank account that is not registered. Find out whose it is "
            "and register it (docs/operations.md, section 3), or have the bank send it no more."
        ),
        _K.REMITTANCE_SHORTFALL: (
            "Less was remitted to a payee than its shares. Compare item by item, and pay the rest."
        ),
    }
)
"""One text for each kind; a test compares the two."""
