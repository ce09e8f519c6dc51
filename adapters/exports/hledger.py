"""The journal as an hledger journal, so that a program of others can add it up.

One transaction for each entry, dated by its value date, with its number in the chain as code and
tags for loan, installment, payment, order, bank line, party and the place where the money lies;
the transaction's own are its ledger, day and instant. Account names keep their parts, divided by
colons. Commodities are the ISO codes, written after amounts with the currency's own digits.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Iterator

from domain.ledger.entry import JournalPosting
from domain.money import decimal_text, exponent
from domain.text import is_plain, visible

_TAGS = ("loan", "number", "component", "payment", "order_no", "line", "party", "place")


async def hledger(journal: AsyncIterator[JournalPosting], head: str) -> AsyncGenerator[str]:
    """Yield the journal in pieces of text; `head` is the hash that is kept as the chain's end."""
    yield f"; acquit ledger export, chain head {head or 'lost'} as kept when it began\n"
    yield "; nothing was verified for it: `acquit ledger verify` recomputes the chain\n"
    currencies: set[str] = set()
    entry: list[JournalPosting] = []
    async for posting in journal:
        if entry and entry[0].seq != posting.seq:
            yield "".join(_transaction(entry, currencies))
            entry = []
        entry.append(posting)
    if entry:
        yield "".join(_transaction(entry, currencies))


def account_name(account: str) -> str:
    """`owed/L1/2/interest` -> `owed:L1:2:interest`; what hledger reads otherwise is escaped.

    hledger ends a name at two spaces, a tab or the end of the line and divides it at colons; our
    names hold none of them as a rule, but references of banks may.
    """
    return ":".join("".join(map(_escaped, part)) or "%" for part in account.split("/"))


def _escaped(character: str) -> str:
    """A character of a name; white space, control characters and syntax as `%` and UTF-8 bytes."""
    if character in ":;%" or character.isspace() or not is_plain(character):
        return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return character


def _transaction(entry: list[JournalPosting], currencies: set[str]) -> Iterator[str]:
    for posting in entry:
        if posting.currency not in currencies:
            currencies.add(posting.currency)
            digits = exponent(posting.currency)
            # A whole number needs its decimal point all the same in this directive.
            sample = f"1000.{'0' * digits}"
            yield f"\ncommodity {sample} {posting.currency}\n"
    first = entry[0]
    at = first.at.isoformat(timespec="seconds")
    event = visible(first.event)
    tags = f"posted:{at}, posted_on:{first.posted_on.isoformat()}, ledger:{visible(first.ledger)}"
    yield f"\n{first.value_on.isoformat()} * ({first.seq}) {event}  ; {tags}\n"
    for posting in entry:
        amount = decimal_text(posting.minor, posting.currency)
        tags = ", ".join(_tags(posting))
        remark = f"  ; {tags}" if tags else ""
        yield f"    {account_name(posting.account)}  {amount} {posting.currency}{remark}\n"


def _tags(posting: JournalPosting) -> Iterator[str]:
    for name in _TAGS:
        value = getattr(posting, name)
        if value is not None:
            # A comma ends a tag's value, a line break the remark.
            yield f"{name}:{visible(str(value)).replace(',', ' ')}"
