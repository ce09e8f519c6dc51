"""The pure matcher: passes in order, each on what the ones before have left.

The set-based matcher (`adapters.sql.match`) does the same in SQL; a property test compares them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.matching.model import (
    EXACT,
    NAMES_MONEY,
    NEAR,
    OF_LOANS,
    Expectation,
    Pass,
    Piece,
)
from domain.matching.result import Cause, ExpectationResult, LineResult, Results, Status
from domain.matching.similar import blocks, similarity

SHARED_MOST = 50
"""Expectations that may share the beginning of a word; one that more have brings none together."""
_Group = tuple[str, str, bool, int, date | None]


@dataclass(slots=True)
class _Run:
    """What is open, and what was found so far."""

    expectations: dict[str, Expectation]
    pieces: dict[str, Piece]
    lines: dict[str, LineResult] = field(default_factory=dict)
    found: dict[str, ExpectationResult] = field(default_factory=dict)
    causes: dict[str, Cause] = field(default_factory=dict)
    got: Counter[str] = field(default_factory=Counter)

    def open_pieces(self) -> list[Piece]:
        return [piece for name, piece in self.pieces.items() if name not in self.lines]

    def open_expectations(self) -> list[Expectation]:
        return [
            it
            for name, it in self.expectations.items()
            if name not in self.found and not it.is_proven and not it.any_amount
        ]

    def doubt(self, pieces: Iterable[Piece], cause: Cause) -> None:
        """Say why pieces are not matched, unless an earlier pass has said so."""
        for piece in pieces:
            self.causes.setdefault(piece.id, cause)

    def put(
        self,
        by: Pass,
        pieces: Sequence[Piece],
        expectations: Sequence[Expectation],
        result: LineResult,
    ) -> None:
        """Say how a group stands; it takes no part in later passes."""
        for piece in pieces:
            self.lines[piece.id] = result
        for it in expectations:
            self.found[it.id] = ExpectationResult(result.status, by, result.group)


def match(expectations: Sequence[Expectation], pieces: Sequence[Piece], today: date) -> Results:
    """How each piece and each expectation stands on a day. The order of neither plays a part."""
    run = _Run(
        {it.id: it for it in sorted(expectations, key=lambda it: it.id)},
        {it.id: it for it in sorted(pieces, key=lambda it: it.id)},
    )
    for by in EXACT:
        _exact(run, by)
    for by in OF_LOANS:
        _for_loans(run, by)
    for by in NEAR:
        _near(run, by)
    return _finished(run, today)


# --- passes by a key -----------------------------------------------------------------------------


def _group(by: Pass, text: str, it: Expectation | Piece) -> _Group:
    """What one key and everything that a pass compares beside it come to."""
    exact = by is Pass.MANDATE
    day = it.on if exact else None
    return text, it.currency, it.minor > 0, it.minor if exact else 0, day


def _exact(run: _Run, by: Pass) -> None:
    sought: defaultdict[_Group, list[Expectation]] = defaultdict(list)
    for it in run.open_expectations():
        for key in (key for key in it.keys if key.of is by):
            sought[_group(by, key.text, it)].append(it)
    shown: defaultdict[_Group, list[Piece]] = defaultdict(list)
    named: Counter[str] = Counter()
    for piece in run.open_pieces():
        for text in {key.text for key in piece.keys if key.of is by}:
            if (group := _group(by, text, piece)) in sought:
                shown[group].append(piece)
                named[piece.id] += 1
    for group, mine in shown.items():
        if any(named[piece.id] > 1 for piece in mine):
            run.doubt(mine, Cause.SEVERAL_FIT)  # a piece that names two things
        elif by is Pass.BATCH:
            _resolve_batch(run, mine, sought[group])
        else:
            _resolve(run, by, mine, sought[group])


def _sum(several: Sequence[Expectation | Piece]) -> int:
    return sum(it.minor for it in several)


def _resolve(run: _Run, by: Pass, mine: Sequence[Piece], theirs: Sequence[Expectation]) -> None:
    """All of one key at once; else amount by amount; what is left is over, under or unclear."""
    if _sum(mine) == _sum(theirs):
        _settle(run, by, mine, theirs)
        return
    left, lacking = [], []
    amounts = {it.minor for it in mine} | {it.minor for it in theirs}
    for minor in sorted(amounts):
        same = [it for it in mine if it.minor == minor]
        alike = [it for it in theirs if it.minor == minor]
        if same and len(same) == len(alike):
            _settle(run, by, same, alike)
        else:
            left += same
            lacking += alike
    if left and len(lacking) == 1:
        _compare(run, by, left, lacking[0])
    elif left and not lacking:  # all that they name is shown, and they show more
        label = min(piece.id for piece in left)
        run.put(by, left, (), LineResult(Status.OVER, by, Cause.AMOUNT_DIFFERS, label))
    else:
        run.doubt(left, Cause.SEVERAL_FIT)


def _compare(run: _Run, by: Pass, mine: Sequence[Piece], it: Expectation) -> None:
    """Pieces that name one expectation and are not of its amount."""
    label, shown = min(piece.id for piece in mine), _sum(mine)
    if all(piece.minor == it.minor for piece in mine):
        result = LineResult(Status.DUPLICATE, by, Cause.SEVERAL_LINES, label)
        run.put(by, mine, (), result)
    elif fee := it.tolerance.fee(it.minor, shown):
        posts = it.tolerance.posts
        matched = LineResult(Status.MATCHED, by, None, label, fee, posts)
        run.put(by, mine, [it], matched)
    else:
        status = Status.UNDER if abs(shown) < abs(it.minor) else Status.OVER
        run.put(by, mine, [it], LineResult(status, by, Cause.AMOUNT_DIFFERS, label))


def _resolve_batch(run: _Run, mine: Sequence[Piece], theirs: Sequence[Expectation]) -> None:
    """The orders of a batch, booked in one amount or in several without a count."""
    by, counts = Pass.BATCH, {piece.batch_count for piece in mine} - {None}
    is_counted = not counts or (len(mine) == 1 and counts == {len(theirs)})
    shown, sought = _sum(mine), _sum(theirs)
    if shown == sought and is_counted:
        _settle(run, by, mine, theirs)
    elif len(mine) > 1:
        run.doubt(mine, Cause.SEVERAL_FIT)
    elif shown == sought:
        run.doubt(mine, Cause.COUNT_DIFFERS)
    else:
        status = Status.UNDER if abs(shown) < abs(sought) else Status.OVER
        run.put(by, mine, theirs, LineResult(status, by, Cause.AMOUNT_DIFFERS, mine[0].id))


def _settle(run: _Run, by: Pass, mine: Sequence[Piece], theirs: Sequence[Expectation]) -> None:
    """Lines and expectations that come to the same, on the right accounts or on others."""
    label = min(piece.id for piece in mine)
    result = LineResult(Status.MATCHED, by, None, label, 0, posts=True)
    if all(it.legs for it in theirs):
        sums: Counter[str] = Counter()
        for piece in mine:
            sums[piece.account] += piece.minor
        for account, minor in (leg for it in theirs for leg in it.legs):
            sums[account] -= minor
        if any(sums.values()):
            result = LineResult(Status.SPLIT_MISMATCH, by, Cause.ACCOUNTS_DIFFER, label)
    run.put(by, mine, theirs, result)


# --- passes for loans ----------------------------------------------------------------------------


def _for_loans(run: _Run, by: Pass) -> None:
    """Money that came for a loan, whatever its amount; of two loans that fit none is taken."""
    loans: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for it in run.expectations.values():
        if it.any_amount:
            for key in (key for key in it.keys if key.of is by):
                loans[(key.text, it.currency)].add(it.id)
    for piece in run.open_pieces():
        if piece.id in run.causes or not piece.is_credit:
            continue
        texts = {key.text for key in piece.keys if key.of is by}
        meant = {name for text in texts for name in loans.get((text, piece.currency), ())}
        if len(meant) > 1:
            run.doubt([piece], Cause.SEVERAL_FIT)
        elif meant:
            loan = meant.pop()
            run.got[loan] += piece.minor
            matched = LineResult(Status.MATCHED, by, None, piece.id, 0, posts=True, loan=loan)
            run.lines[piece.id] = matched


# --- tolerant passes -----------------------------------------------------------------------------


def _near(run: _Run, by: Pass) -> None:
    """Pairs within the rules of the product, each side of which has only the other."""
    wanted = run.open_expectations()
    is_fitting = _same_mandate if by is Pass.NEAR_MANDATE else _Names(wanted).are_like
    chosen: dict[str, list[Expectation]] = {}
    sought: Counter[str] = Counter()
    for piece in (piece for piece in run.open_pieces() if piece.id not in run.causes):
        near = (it for it in wanted if _is_near(it, piece))
        chosen[piece.id] = [it for it in near if is_fitting(it, piece)]
        sought.update(it.id for it in chosen[piece.id])
    for name, fitting in chosen.items():
        piece = run.pieces[name]
        if len(fitting) == 1 and sought[fitting[0].id] == 1:
            it = fitting[0]
            fee, posts = it.minor - piece.minor, it.tolerance.posts
            run.put(by, [piece], [it], LineResult(Status.MATCHED, by, None, name, fee, posts))
        elif fitting:
            run.doubt([piece], Cause.SEVERAL_FIT)


class _Names:
    """Compares names of lines with those of expectations whose product tolerates them."""

    def __init__(self, wanted: Iterable[Expectation]) -> None:
        self._blocks = {it.id: blocks(it.text) for it in wanted if it.tolerance.similarity}
        self._shared = Counter(block for several in self._blocks.values() for block in several)

    def are_like(self, it: Expectation, piece: Piece) -> bool:
        """Whether they share the beginning of a word that few have, and are like enough."""
        common = self._blocks.get(it.id, frozenset()) & blocks(piece.text)
        if not any(self._shared[block] <= SHARED_MOST for block in common):
            return False
        return similarity(it.text, piece.text) >= it.tolerance.similarity


def _is_near(it: Expectation, piece: Piece) -> bool:
    tolerance = it.tolerance
    return (
        it.currency == piece.currency
        and (it.minor > 0) is piece.is_credit
        and 0 <= it.minor - piece.minor <= tolerance.fee_most_minor
        and abs((it.on - piece.on).days) <= tolerance.days
    )


def _same_mandate(it: Expectation, piece: Piece) -> bool:
    mine, theirs = ({key.text for key in of.keys if key.of is Pass.MANDATE} for of in (piece, it))
    return bool(mine & theirs)


# --- what is left --------------------------------------------------------------------------------


def _finished(run: _Run, today: date) -> Results:
    shown = {
        (key.of, key.text, it.currency, it.minor)
        for it in run.expectations.values()
        for key in it.keys
        if key.of in NAMES_MONEY and (it.is_proven or _is_matched(run, it.id))
    }
    for piece in run.open_pieces():
        named = {(key.of, key.text, piece.currency, piece.minor) for key in piece.keys}
        if named & shown:
            run.lines[piece.id] = LineResult(Status.DUPLICATE, None, Cause.SHOWN_BEFORE)
        else:
            usual = Cause.UNKNOWN_REFERENCE if piece.keys else Cause.NAMES_NOTHING
            cause = run.causes.get(piece.id, usual)
            run.lines[piece.id] = LineResult(Status.UNIDENTIFIED, None, cause)
    for it in run.open_expectations():
        status = Status.MISSING if it.expected_by < today else Status.EXPECTED
        run.found[it.id] = ExpectationResult(status)
    for it in (it for it in run.expectations.values() if it.any_amount):
        run.found[it.id] = ExpectationResult(_of_loan(it, run.got, today))
    return Results(run.lines, run.found)


def _is_matched(run: _Run, name: str) -> bool:
    return name in run.found and run.found[name].status is Status.MATCHED


def _of_loan(it: Expectation, got: Counter[str], today: date) -> Status:
    """How what came for a loan compares with what is due of it."""
    if it.id not in got:
        return Status.MISSING if it.minor and it.expected_by < today else Status.EXPECTED
    if got[it.id] == it.minor:
        return Status.MATCHED
    return Status.UNDER if got[it.id] < it.minor else Status.OVER
