"""The history file of a tape: what another system did, by loan, installment and component."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.tapes.files.columns import COMPONENTS
from adapters.tapes.files.csvtable import LONGEST_FIELD, header_faults, shape_fault, table
from adapters.tapes.files.rows import HistoryFault, TapeFault, fault_of
from domain.errors import InvalidInput
from domain.text import PLAIN_RULE, shortened

REQUIRED = ("loan_id", "installment", "event")
OF_LOAN = (
    "installment",
    "event",
    "on",
    *COMPONENTS,
    "cost",
    "amount",
    "order_no",
    "mandate_ref",
    "outcome",
    "code",
    "outcome_class",
    "reference",
    "unplaced",
    "returned",
    "hold",
    "reason",
    "bank_ref",
    "cleared",
    "plan",
)
"""The columns of a row, its loan apart."""
COLUMNS = ("loan_id", *OF_LOAN)
_SHOWN = 80
_BETWEEN = "\x1f"


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One row of one loan; `values` has the cells that are filled, by column."""

    line: int
    values: Mapping[str, str]


class History:
    """The rows of a history file by loan, each kept as one text: most of the file is read once."""

    def __init__(self) -> None:
        self.faults: list[TapeFault] = []
        """Rows whose loan cannot be read."""
        self._rows: dict[str, list[str]] = {}
        self._bad: dict[str, HistoryFault] = {}
        self._asked: set[str] = set()

    def add(self, line: int, loan_id: str, cells: list[str]) -> None:
        """Keep one row; `cells` in the order of `OF_LOAN`."""
        text = _BETWEEN.join((str(line), *cells))
        self._rows.setdefault(loan_id, []).append(text)

    def spoil(self, line: int, loan_id: str, error: InvalidInput) -> None:
        """Keep what is wrong with a row: its loan is bad, or nobody knows which loan it is of."""
        if loan_id:
            self._rows.setdefault(loan_id, [])
            self._bad.setdefault(loan_id, HistoryFault(line, error))
            return
        self.faults.append(fault_of(line, HistoryFault(line, error)))

    def of(self, loan_id: str) -> tuple[HistoryRow, ...]:
        """The rows of a loan in the order of the file.

        Raises:
            HistoryFault: one of them cannot be read.
        """
        self._asked.add(loan_id)
        if (fault := self._bad.get(loan_id)) is not None:
            raise fault
        return tuple(_unpacked(text) for text in self._rows.get(loan_id, ()))

    def unknown(self) -> Iterator[TapeFault]:
        """One fault for each loan that nobody has asked for: the tape has no such row."""
        for loan_id, rows in self._rows.items():
            if loan_id in self._asked:
                continue
            line = int(rows[0].partition(_BETWEEN)[0]) if rows else self._bad[loan_id].line
            rule = "a loan of the tape"
            text = shortened(loan_id, _SHOWN)
            yield TapeFault(line, "loan_id", text, rule, loan_id, "history")


def read_history(path: Path) -> History:
    """Read a history file; its rows are judged when their loan is read.

    Raises:
        SourceRefused: the file as a whole cannot be read: size, encoding, header.
    """
    history = History()
    rows = table(path, _header_faults)
    _, header = next(rows)
    places = {name: header.index(name) for name in COLUMNS if name in header}
    for line, cells in rows:
        _take(history, line, cells, header, places)
    return history


def _take(
    history: History, line: int, cells: list[str], header: list[str], places: Mapping[str, int]
) -> None:
    loan_id = dict(zip(header, cells, strict=False)).get("loan_id", "")[:LONGEST_FIELD]
    broken = next((pair for pair in zip(header, cells, strict=False) if _BETWEEN in pair[1]), None)
    if error := shape_fault(cells, header):
        return history.spoil(line, loan_id, error)
    if broken is not None:
        return history.spoil(line, loan_id, InvalidInput(*broken, PLAIN_RULE))
    if not loan_id:
        return history.spoil(line, "", InvalidInput("loan_id", None, "must be given"))
    kept = [cells[places[name]] if name in places else "" for name in OF_LOAN]
    return history.add(line, loan_id, kept)


def _unpacked(text: str) -> HistoryRow:
    line, *cells = text.split(_BETWEEN)
    values = {name: cell for name, cell in zip(OF_LOAN, cells, strict=True) if cell}
    return HistoryRow(int(line), values)


def _header_faults(header: list[str]) -> Iterator[InvalidInput]:
    wanted = dict.fromkeys(REQUIRED, "must be there")
    return header_faults(header, wanted, COLUMNS, f"one of {', '.join(COLUMNS)}")
