"""Reads a whole tape: its loans, its faulty rows, and how its installments compare with ours."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from adapters.products.translate import ProductFile
from adapters.refusals import refused
from adapters.tapes.files.history import History, read_history
from adapters.tapes.files.mapping import TapeMap
from adapters.tapes.files.rows import ControlRow, Row, TapeFault, fault_of, read_rows
from adapters.tapes.loan.checks import check_cost
from adapters.tapes.loan.loans import BoardingRules, ClassOfCode, RowLoan, Shift, loan_of, no_table
from adapters.tapes.report.comparison import Comparison
from adapters.tapes.report.control import Controls
from adapters.tapes.report.keptrows import KeptRow, LoanRows, Reading
from domain.calendar import BankingCalendar
from domain.errors import InvalidInput
from domain.loan.boarding import Past

FAULTS_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class TapeReport:
    """What reading a tape gave.

    `rows` are the loans of all good rows in the order of the tape; `faults` the first `FAULTS_KEPT`
    of `fault_count`; `comparison` is that of usual installments, `next_debits` that of the first
    ones of which something is owed; `unconfirmed` counts due dates that no calendar's source
    covers; `controls` is whether the control row of a currency states what the rows sum to, None
    where nothing was compared, since the tape was not read whole; `stated` what each of them
    states, by column.
    """

    rows: LoanRows
    faults: tuple[TapeFault, ...]
    fault_count: int
    comparison: Comparison
    next_debits: Comparison
    unconfirmed: int
    controls: Mapping[str, bool] | None = None
    stated: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_tape(  # noqa: PLR0913  (one parameter for each option)
    path: Path,
    tape_map: TapeMap,
    products: Mapping[str, ProductFile],
    calendars: Callable[[str], BankingCalendar],
    *,
    limit: int | None = None,
    months: int | None = None,
    shift: Shift | None = None,
    merchants: Mapping[str, str] | None = None,
    past: Past = Past.REFUSE,
    history: Path | None = None,
    class_of: ClassOfCode = no_table,
) -> TapeReport:
    """Read a tape; nothing is boarded here.

    Args:
        path: CSV in UTF-8, with or without a byte order mark.
        limit: read so many rows and no more.
        months: board only the first so many installments of each loan. The comparison is still
            made over the lender's whole term; the boarded principal is what these rows repay.
        shift: move first due dates, for demonstrations.
        merchants: how each rail knows us, where a row does not say.
        past: what became of installments that are past, where a row does not say.
        history: CSV of what was done to loans in progress, by installment and component.
        class_of: what the codes of rails mean in such a history.

    Raises:
        SourceRefused: a file as a whole cannot be read, or holds no row.
    """
    if months is not None and months < 1:
        raise InvalidInput("months", months, "1 or more")
    rules = BoardingRules(
        tape_map, products, calendars, merchants or {}, months, shift, past, class_of
    )
    run, position = _Run(rules, History() if history is None else read_history(history)), 0
    for item in read_rows(path, tape_map):
        if isinstance(item, ControlRow):
            run.controls.state(item)
            continue
        if position == limit:
            break
        run.take(item, position)
        position += 1
    if limit is None:
        run.conclude()
    if not run.good and not run.fault_count:
        raise refused(path, "rows", 0, "at least one loan")
    return run.report(whole=limit is None)


class _Run:
    """What is gathered while a tape is read."""

    def __init__(self, rules: BoardingRules, history: History) -> None:
        self.good: list[KeptRow] = []
        self.fault_count = 0
        self.controls = Controls(rules)
        self._reading = Reading(rules, history)
        self._faults: list[TapeFault] = []
        self._first: dict[str, int] = {}
        self._bad: dict[str, int] = {}
        self._orders: set[str] = set()
        for fault in history.faults:
            self._fault(fault)

    def take(self, item: Row | TapeFault, position: int) -> None:
        """Add one row, or what is wrong with it."""
        if isinstance(item, TapeFault):
            self.controls.add(item)
            self._fault(item)
            return
        loan_id = item.values.get("loan_id", "")
        try:
            reading = self._reading
            loan = loan_of(item, position, reading.rules, reading.history.of(loan_id))
            check_cost(loan.command)
            self._once(loan.command.loan_id, item.line)
            self._orders_once(loan)
        except InvalidInput as error:
            self.controls.add(item)
            self._fault(fault_of(item.line, error, loan_id))
            return
        self.controls.add(item, loan.command)
        self.good.append(reading.kept(item, position, loan))

    def conclude(self) -> None:
        """Add what is known when all rows were taken: totals, and histories of unknown loans."""
        for fault in (*self.controls.faults(), *self._reading.history.unknown()):
            self._fault(fault)

    def report(self, *, whole: bool) -> TapeReport:
        """The report of all rows taken; `whole`: there were no others."""
        kept = [row for row in self.good if not self._is_elsewhere(row)]
        installments, next_debits = Comparison(), Comparison()
        for row in kept:
            installments.add(row.line, row.loan_id, row.currency, row.installment)
            next_debits.add(row.line, row.loan_id, row.currency, row.next_debit)
        return TapeReport(
            LoanRows(self._reading, kept),
            tuple(sorted(self._faults, key=lambda fault: fault.place)),
            self.fault_count,
            installments,
            next_debits,
            sum(row.unconfirmed for row in kept),
            self.controls.agreement() if whole else None,
            self.controls.stated,
        )

    def _fault(self, fault: TapeFault) -> None:
        self.fault_count += 1
        if fault.loan_id:
            self._bad.setdefault(fault.loan_id, fault.line)
        if len(self._faults) < FAULTS_KEPT:
            self._faults.append(fault)

    def _once(self, loan_id: str, line: int) -> None:
        first = self._first.setdefault(loan_id, line)
        if first != line:
            raise InvalidInput("loan_id", loan_id, f"each loan once; line {first} has it")

    def _orders_once(self, loan: RowLoan) -> None:
        """An order number is one debit of one loan."""
        opening = loan.command.opening
        for attempt in opening.attempts if opening else ():
            if attempt.order_no in self._orders:
                raise InvalidInput("order_no", attempt.order_no, "an order of one loan only")
            self._orders.add(attempt.order_no)

    def _is_elsewhere(self, row: KeptRow) -> bool:
        """Whether the loan of a good row stands on a bad one too: nobody knows which is meant."""
        loan_id = row.loan_id
        if (line := self._bad.get(loan_id)) is None:
            return False
        rule = f"each loan once; line {line} has it too, and is bad"
        self._fault(fault_of(row.line, InvalidInput("loan_id", loan_id, rule), loan_id))
        return True
