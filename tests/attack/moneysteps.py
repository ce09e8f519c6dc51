"""Steps by which money goes back, or comes another way than by a debit."""

from datetime import timedelta

from domain.statement.statement import LineItem
from tests.attack.driven import Driven
from tests.attack.setup import LENT_ON
from tests.attack.truth import TRANSFER, Fact, Named, News, Transfer
from tests.support.doors import Also, RecordPayment
from tests.support.memory import TESTER


class MoneySteps(Driven):
    """An attack with returns, transfers, stray lines and batches."""

    def give_back(
        self,
        pick: int,
        part: str = "whole",
        news: str = "both",
        ref: str = "own",
        line: str = "order",
        fee: str = "none",
        code: str = "AM04",
    ) -> None:
        """The bank gives money of an execution back, and tells it in one way or two."""
        open_ones = [i for i in range(len(self.bank.executions)) if self.bank.left_of(i)]
        open_ones = [i for i in open_ones if self.bank.executions[i].on <= self.today]
        if not open_ones:
            return
        index = open_ones[pick % len(open_ones)]
        left = self.bank.left_of(index)
        if fee == "inside" and part != "whole":
            fee = "apart"  # nobody could tell the fee from the money
        minor = {
            "whole": left,
            "half": min(left, left // 2 + 7),
            "little": min(left, 1000 + len(self.bank.returns)),
        }[part]
        back = self.bank.give_back(index, minor, self.today)
        if news != "line":
            name = {"own": self.bank.executions[index].ref, "none": None, "strange": "X9"}[ref]
            self.bank.pending.append(self.bank.report_of_return(back, name, code))
        self.bank.pending.append(self.bank.line_of_return(back, line, fee, code))

    def pay(
        self,
        loan: int,
        number: int,
        minor: int,
        ago: int = 0,
        how: str = "recorded",
        fee: int = 0,
        ref: str = "own",
        also: str = "no",
    ) -> None:
        """The payer sends a transfer: a person records it, a line proves it, or only one of them.

        Payers choose their references: a new one, always the same, or what looks like ours. It may
        be for two loans: half for each, or what fell due first.
        """
        loan_id, of = self.which(loan, number)
        fee = min(fee, minor - 1)
        last = next(reversed(self.bank.orders), "1")
        ours = f"R-{last}"
        if any(sent.reference == ours for sent in self.bank.transfers):
            ours = self.bank.name("T")  # what repeats is drawn as `same`
        reference = {"own": self.bank.name("T"), "same": "RENT", "ours": ours}[ref]
        on = max(self.today - timedelta(days=ago), LENT_ON)
        index = len(self.bank.transfers)
        if any((t.reference, t.minor, t.on) == (reference, minor, on) for t in self.bank.transfers):
            return  # nobody could tell the two apart
        self.bank.transfers.append(Transfer(loan_id, of, reference, minor, on))
        fact = (Fact(TRANSFER, index, minor),)
        command = RecordPayment(
            id=self.bank.name("p"),
            actor=TESTER,
            reason="reported by the payer",
            loan_id=loan_id,
            number=of,
            reference=reference,
            amount_minor=minor,
            currency="CNY",
            value_on=on,
            also=self._also(loan_id, minor, also if how in {"recorded", "unnamed"} else "half")
            if also != "no"
            else (),
        )
        named = reference if how != "unnamed" else None
        items = [LineItem(named, None, None, minor, fee)]
        if how == "netted":  # a debit of nobody's in the same line: it nets to zero
            items.append(LineItem(None, None, None, fee - minor))
        charges = min(50, minor - 1) if how == "charged" else 0
        truth = (Named(loan_id, of, "", reference, minor, fee, value_on=on),)
        line = self.bank.line(tuple(items), truth, fact, on, charges_minor=charges)
        if how == "netted":
            self.bank.strays[next(reversed(self.bank.lines))] = fee - minor
        recorded = News(command, fact, self.books.at)
        if how in {"recorded", "unnamed"}:
            self.deliver(recorded)
        elif how != "line":
            self.bank.pending.append(recorded)
        self.bank.pending.append(line)

    def _also(self, loan_id: str, minor: int, how: str) -> tuple[Also, ...]:
        """The other loan that a transfer is for, if there is one and it can have a part."""
        others = [name for name in self.setup.loan_ids if name != loan_id]
        if not others or minor < len((loan_id, *others[:1])):
            return ()
        return (Also(others[0], minor // 2 if how == "half" else None),)

    def return_transfer(self, pick: int) -> None:
        """The payer's bank takes a transfer back, under the transfer's own reference."""
        sent = [t for t in self.bank.transfers if not t.back_minor and t.reported_minor]
        if sent:
            one = sent[pick % len(sent)]
            one.back_minor = one.minor
            item = LineItem(one.reference, None, None, -one.minor, 0, "AM04")
            truth = (Named(one.loan, one.number, "", one.reference, -one.minor, value_on=one.on),)
            self.bank.pending.append(self.bank.line((item,), truth, (), self.today))

    def stray(self, minor: int) -> None:
        """A line that is nobody's and names nothing."""
        reason = "AM04" if minor < 0 else None
        item = LineItem(None, None, None, minor, 0, reason)
        self.bank.pending.append(self.bank.line((item,), (), (), self.today))

    def batch(self) -> None:
        """The bank books what waits for its batch in one line."""
        self.bank.pending.extend(self.bank.close_batch())
