"""Transactions of a camt entry: what each says, and how they add up to the booked amount."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, TypeAlias
from xml.etree.ElementTree import Element

from adapters.statements.fields import Fields
from domain.matching.reference import virtual_part
from domain.statement.identity import REFERENCE_MOST, given, one_word
from domain.statement.statement import LineItem, Party
from domain.text import cleaned

_REFERENCES_MOST = 10
_OTHER_REFS = frozenset({"MsgId", "AcctSvcrRef", "InstrId", "UETR", "ClrSysRef", "ChqNb"})
_ACCOUNT = ("IBAN", "Othr/Id")
_TRANSACTED = ("Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/CntrValAmt/Amt")


@dataclass(frozen=True, slots=True)
class Transaction:
    """One `TxDtls`: references as given, amounts without sign in the entry's currency.

    Attributes:
        sign: its own direction, None where only the entry has one.
        instructed: what was ordered (`AmtDtls/InstdAmt`), before charges.
        transacted: what moved (`Amt`, else `AmtDtls/TxAmt`, else `AmtDtls/CntrValAmt`, which is
            what an amount in another currency came to); banks differ on whether charges are in it.
        charges: what the bank says it took, in minor units; negative is given back.
        remittance: references in the payer's message, see `LineItem`.
        batch_ref: the batch that the bank says the transaction came in.
        counterparty, other_refs: see `LineItem`.
    """

    end_to_end_id: str | None
    mandate_ref: str | None
    tx_id: str | None
    sign: int | None
    instructed: int | None
    transacted: int | None
    charges: int
    return_reason: str | None
    text: str
    remittance: tuple[str, ...] = ()
    batch_ref: str | None = None
    counterparty: Party | None = None
    other_refs: tuple[tuple[str, str], ...] = ()


def transaction(fields: Fields, details: Element, currency: str, *, credit: bool) -> Transaction:
    """Read one `TxDtls`. Amounts in another currency than the entry's are left out.

    `credit` says whether the entry is one: then the debtor is on the other side.
    """
    refs = fields.first(details, "Refs")
    structured, free = _remittance(fields, details)
    moved = (_in(currency, fields.amount(details, path)) for path in _TRANSACTED)
    return Transaction(
        end_to_end_id=given(fields.text(refs, "EndToEndId", 70)),
        mandate_ref=fields.text(refs, "MndtId", 70),
        tx_id=given(fields.text(refs, "TxId", 70))
        or given(fields.text(refs, "UETR", 70))
        or given(fields.text(refs, "AcctSvcrRef", 70)),
        sign=fields.sign(details),
        instructed=_in(currency, fields.amount(details, "AmtDtls/InstdAmt/Amt")),
        transacted=next((minor for minor in moved if minor is not None), None),
        charges=charges(fields, details, currency),
        return_reason=_return_reason(fields, details),
        text=" ".join((*free, *structured)),
        remittance=(*structured, *(word for text in free if (word := one_word(text)) is not None)),
        batch_ref=fields.text(refs, "PmtInfId", 70),
        counterparty=_counterparty(fields, details, "Dbtr" if credit else "Cdtr"),
        other_refs=(
            *(() if refs is None else _other_refs(fields, refs)),
            *(_virtual_account(fields, details) if credit else ()),
        ),
    )


def _other_refs(fields: Fields, refs: Element) -> tuple[tuple[str, str], ...]:
    """References by which nothing is matched, as the bank names them."""
    found = ((fields.local(child.tag), cleaned(child.text or "")[:140]) for child in refs)
    return tuple(pair for pair in found if pair[0] in _OTHER_REFS and pair[1])


def _virtual_account(fields: Fields, details: Element) -> tuple[tuple[str, str], ...]:
    """The account that a credit came to, if it is a virtual one: its check digits say so."""
    named = (fields.text(details, f"RltdPties/CdtrAcct/Id/{path}", 70) for path in _ACCOUNT)
    return tuple(("CdtrAcct", name) for name in named if name and virtual_part(name) is not None)


def _counterparty(fields: Fields, details: Element, side: str) -> Party | None:
    """The party of one side; names moved into `Pty` with version 8. Texts for people are cut."""
    parties = fields.first(details, "RltdPties")
    if parties is None:
        return None
    bank = fields.first(details, f"RltdAgts/{side}Agt/FinInstnId")

    def first(parent: Element | None, *paths: str) -> str | None:
        found = (fields.first(parent, path) for path in paths)
        texts = (cleaned(one.text or "")[:REFERENCE_MOST] for one in found if one is not None)
        return next((text for text in texts if text), None)

    party = Party(
        name=first(parties, f"{side}/Nm", f"{side}/Pty/Nm"),
        account=first(parties, f"{side}Acct/Id/IBAN", f"{side}Acct/Id/Othr/Id"),
        bank=first(bank, "BICFI", "BIC", "ClrSysMmbId/MmbId"),
    )
    return party if party != Party() else None


def charges(fields: Fields, parent: Element, currency: str) -> int:
    """Charges inside the booked amount, in minor units.

    Up to version 3 each `Chrgs` is one charge, since version 4 one `Chrgs` holds records. A record
    that says it is not included is booked on its own and does not count here.
    """
    total = 0
    for group in fields.all(parent, "Chrgs"):
        records = fields.all(group, "Rcrd") or [group]
        for record in records:
            if fields.flag(record, "ChrgInclInd") is False:
                continue
            amount = _in(currency, fields.amount(record, "Amt"))
            if amount is None:
                amount = _in(currency, fields.amount(record, "TtlChrgsAndTaxAmt")) or 0
            total += -amount if fields.sign(record) == 1 else amount
    return total


Reading: TypeAlias = Literal["instructed", "transacted", "net"]
# Banks disagree on which amount of a transaction carries the charges. The first reading under which
# the items sum to the booked amount is taken; "net" means that `Amt` is what was booked.
_READINGS: tuple[tuple[Reading, bool], ...] = (
    ("instructed", True),
    ("transacted", True),
    ("net", True),
    ("transacted", False),
    ("instructed", False),
)


def itemise(
    amount: int, entry_charges: int, found: Sequence[Transaction]
) -> tuple[tuple[LineItem, ...], int]:
    """Items of an entry booked with `amount` (signed), and the charges that no item bears.

    Where no reading adds up, the most literal one is kept: the control totals will say so.
    """
    if not found:
        return (), entry_charges
    readings = _readings(amount, entry_charges, found)
    literal = next(readings)
    for items, rest in chain([literal], readings):
        if sum(item.booked_minor for item in items) - rest == amount:
            return items, rest
    return literal


def _readings(
    amount: int, entry_charges: int, found: Sequence[Transaction]
) -> Iterator[tuple[tuple[LineItem, ...], int]]:
    stated = any(one.charges for one in found)
    shared = 0 if stated else entry_charges  # stated on both: the same charge, not another
    taken = [one.charges for one in found]
    if len(found) == 1:
        taken, shared = [taken[0] + shared], 0
    sign = -1 if amount < 0 else 1
    whole = amount if len(found) == 1 else None
    for reading, charged in _READINGS:
        items = tuple(
            _item(one, sign, reading, charge if charged else 0, whole)
            for one, charge in zip(found, taken, strict=True)
        )
        yield items, shared
        if shared:
            yield items, 0


def _item(one: Transaction, sign: int, reading: Reading, taken: int, whole: int | None) -> LineItem:
    stated = one.transacted if one.transacted is not None else one.instructed
    if reading == "instructed" and one.instructed is not None:
        stated = one.instructed
    direction = one.sign or sign
    if stated is None:
        # One transaction alone is the entry; one of several without an amount stays visibly at 0.
        gross = 0 if whole is None else whole + taken
    else:
        gross = direction * stated + (taken if reading == "net" else 0)
    return LineItem(
        end_to_end_id=one.end_to_end_id,
        mandate_ref=one.mandate_ref,
        tx_id=one.tx_id,
        amount_minor=gross,
        charges_minor=taken,
        return_reason=one.return_reason,
        remittance=one.remittance,
        counterparty=one.counterparty,
        other_refs=one.other_refs,
    )


def _in(currency: str, amount: tuple[int, str] | None) -> int | None:
    return amount[0] if amount is not None and amount[1] == currency else None


def _return_reason(fields: Fields, details: Element) -> str | None:
    returned = fields.first(details, "RtrInf")
    if returned is None:
        return None
    given = fields.text(returned, "Rsn/Cd", 35) or fields.text(returned, "Rsn/Prtry", 35)
    return given or "UNSTATED"  # it is a return all the same


def _remittance(fields: Fields, details: Element) -> tuple[list[str], list[str]]:
    """Structured creditor references, and free texts, in the order of the message."""
    information = fields.first(details, "RmtInf")
    if information is None:
        return [], []
    free = [cleaned(found.text or "") for found in fields.all(information, "Ustrd")]
    named = [
        fields.text(structured, "CdtrRefInf/Ref", REFERENCE_MOST)
        for structured in fields.all(information, "Strd")
    ]
    structured = [ref for found in named[:_REFERENCES_MOST] if (ref := given(found)) is not None]
    return structured, [text for text in free[:_REFERENCES_MOST] if text]
