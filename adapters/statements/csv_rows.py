"""One row of a table as a statement line."""

from dataclasses import dataclass

from adapters.statements.csv_map import CsvMap, RowRule
from adapters.statements.csv_table import Row
from adapters.statements.csv_values import Amounts, day_in
from adapters.statements.iban import account_of
from adapters.statements.sizes import TEXT_KEPT, account_fault
from domain.errors import InvalidInput
from domain.money import exponent
from domain.statement.identity import REFERENCE_MOST, given, one_word
from domain.statement.statement import EntryStatus, LineItem, Party, StatementLine
from domain.text import cleaned

_NO_RULE = RowRule(column="-", equals=["-"])


@dataclass(frozen=True, slots=True)
class Read:
    """What a row holds: an entry, and what the account held after it where the table says so."""

    line: StatementLine
    balance: int | None


class Rows:
    """Reads the rows of one map.

    Raises:
        InvalidInput: names the column, what stands there, and what is expected.
    """

    def __init__(self, rules: CsvMap) -> None:
        self._rules, self._columns = rules, rules.columns
        self.amounts = Amounts(rules.numbers)

    def rule(self, row: Row) -> RowRule | None:
        """What the row is; None where it is left out."""
        for rule in self._rules.rows:
            if row.cells[rule.column] in rule.equals:
                return None if rule.take == "skip" else rule
        if not self._rules.rows or self._rules.otherwise == "entry":
            return _NO_RULE
        if self._rules.otherwise == "skip":
            return None
        column = self._rules.rows[0].column
        words = sorted({word for rule in self._rules.rows for word in rule.equals})
        raise InvalidInput(column, row.cells[column], f"one of {', '.join(words)}")

    def account(self, row: Row) -> str | None:
        """The account that the row names, where the map has a column of it."""
        column = self._columns.account
        if column is None:
            return None
        account = account_of(row.cells[column])
        if rule := account_fault(account):
            raise InvalidInput(column, account, rule)
        return account

    def read(self, row: Row, rule: RowRule, account: str) -> Read:
        """The entry of a row."""
        columns = self._columns
        if row.is_short:
            raise InvalidInput("columns", "too few", "as many as in the header")
        currency = self.currency(row)
        booked_on = day_in(row.cells[columns.booked_on], self._rules.dates, columns.booked_on)
        value_on = booked_on
        if columns.value_on is not None and row.cells[columns.value_on]:
            value_on = day_in(row.cells[columns.value_on], self._rules.dates, columns.value_on)
        gross, printed = self._amount(row, rule, currency)
        charges = self._minor(row, columns.charges, currency) or 0
        line = StatementLine(
            id="",
            account=account,
            booked_on=booked_on,
            value_on=value_on,
            amount_minor=gross - charges,
            currency=currency,
            servicer_ref=self._text(row, rule.reference or columns.reference),
            reversal=rule.reversal,
            items=self._items(row, rule, gross, charges),
            batch_ref=self._text(row, columns.batch_ref),
            text=(self._text(row, columns.text, TEXT_KEPT) or ""),
            status=EntryStatus.PENDING if rule.take == "pending" else EntryStatus.BOOKED,
            printed=printed,
            code=self._text(row, columns.code) or "",
        )
        return Read(line, self._minor(row, columns.balance, currency))

    def currency(self, row: Row) -> str:
        """The currency of a row."""
        column = self._columns.currency
        if column is None:
            return self._rules.currency or ""
        currency = row.cells[column]
        try:
            exponent(currency)
        except InvalidInput as error:
            raise InvalidInput(column, currency, error.rule) from None
        return currency

    def _amount(self, row: Row, rule: RowRule, currency: str) -> tuple[int, str]:
        """Signed minor units, and the amount as printed."""
        columns = self._columns
        amount = rule.amount or columns.amount
        if amount is not None:
            minor = self.amounts.minor(row.cells[amount], currency, amount)
            sign = self._sign(row, rule)
            signed = minor if sign is None else sign * abs(minor)
            return signed, self.amounts.bare(row.cells[amount])
        credit = self._minor(row, columns.credit, currency)
        debit = self._minor(row, columns.debit, currency)
        names = " or ".join(name for name in (columns.credit, columns.debit) if name is not None)
        if (credit is None and debit is None) or (credit and debit):
            raise InvalidInput(names, "none" if not credit else "both", "an amount in one of them")
        taken = debit or 0
        minor = (credit or 0) + (taken if columns.debits == "signed" else -taken)
        column = columns.debit if debit or credit is None else columns.credit
        return minor, self.amounts.bare(row.cells[column or ""])

    def _sign(self, row: Row, rule: RowRule) -> int | None:
        if rule.sign is not None:
            return 1 if rule.sign == "credit" else -1
        column = self._columns.sign
        if column is None:
            return None
        word = row.cells[column]
        for side, words in self._rules.signs.items():
            if word in words:
                return 1 if side == "credit" else -1
        known = sorted(word for words in self._rules.signs.values() for word in words)
        raise InvalidInput(column, word, f"one of {', '.join(known)}")

    def _items(self, row: Row, rule: RowRule, gross: int, charges: int) -> tuple[LineItem, ...]:
        """The one transaction of a row that says something of it."""
        columns = self._columns
        named = given(self._text(row, rule.end_to_end_id or columns.end_to_end_id))
        mandate = given(self._text(row, columns.mandate_ref))
        reason = self._text(row, columns.return_reason)
        message = None if columns.remittance is None else row.cells[columns.remittance]
        word = one_word(message or "")
        name = self._text(row, columns.name)
        account = self._text(row, columns.other_account)
        others = tuple(
            (shown, text)
            for shown, column in columns.other.items()
            if (text := self._text(row, column)) is not None
        )
        if not any((named, mandate, reason, word, name, account, others, charges)):
            return ()
        item = LineItem(
            end_to_end_id=named,
            mandate_ref=mandate,
            tx_id=None,
            amount_minor=gross,
            charges_minor=charges,
            return_reason=reason,
            remittance=() if word is None else (word,),
            counterparty=Party(name, account) if name or account else None,
            other_refs=others,
        )
        return (item,)

    def _minor(self, row: Row, column: str | None, currency: str) -> int | None:
        if column is None or not self.amounts.bare(row.cells[column]):
            return None
        return self.amounts.minor(row.cells[column], currency, column)

    def _text(self, row: Row, column: str | None, most: int = REFERENCE_MOST) -> str | None:
        if column is None:
            return None
        return cleaned(row.cells[column])[:most] or None
