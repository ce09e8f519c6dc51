"""The hash chain finds whatever was done to the journal behind its back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.kernel.subject import Subject
from domain.ledger.chain import (
    GENESIS,
    Booked,
    ChainItem,
    Commanded,
    Moved,
    next_hash,
    verify,
)
from domain.ledger.entry import Posting

Rows = list[tuple[ChainItem, str]]
AT = datetime(2026, 3, 2, 4, tzinfo=UTC)


def _item(seq: int) -> ChainItem:
    what: Booked | Moved | Commanded
    match seq % 3:
        case 0:
            what = Booked(
                "main",
                "fell_due",
                date(2026, 3, 2),
                (
                    Posting("owed/L1/1/fee", 7, "CNY", "L1", 1),
                    Posting("claim/f", -7, "CNY", "L1", 1),
                ),
            )
        case 1:
            what = Commanded("roll_day", "d" * 64, None, None, None, "{}", None, "L1")
        case _:
            what = Moved(
                Subject("installment", "L1/1"), "L1", "SCHEDULED", "DUE", "fell_due", None, ""
            )
    return ChainItem(seq, f"c-{seq}", "test", "t1", "", "p@1", AT, date(2026, 3, 2), what)


def _journal(length: int = 6) -> Rows:
    rows: Rows = []
    head = GENESIS
    for seq in range(1, length + 1):
        head = next_hash(head, _item(seq))
        rows.append((_item(seq), head))
    return rows


def _check(rows: Rows, of: Rows) -> tuple[str, ...]:
    """Faults found in `rows` against the head row of the journal `of`."""
    return tuple(verify(rows, seq=of[-1][0].seq, head=of[-1][1]).faults)


def test_an_untouched_journal_has_no_fault() -> None:
    """Numbers, hashes, sums and the head agree."""
    rows = _journal()
    found = verify(rows, seq=6, head=rows[-1][1])
    assert found.faults == []
    assert (found.items, found.commands, found.entries, found.transitions) == (6, 2, 2, 2)
    assert found.postings == 4
    assert found.totals == {"CNY": 0}


def test_an_empty_journal_ends_at_genesis() -> None:
    """Nothing written is a chain, too."""
    assert verify([], seq=0, head=GENESIS).faults == []


def _altered(name: str, value: object) -> Callable[[Rows], Rows]:
    def alter(rows: Rows) -> Rows:
        item, stored = rows[2]
        return [*rows[:2], (replace(item, **{name: value}), stored), *rows[3:]]  # type: ignore[arg-type]

    return alter


def _posting(name: str, value: object) -> Callable[[Rows], Rows]:
    def alter(rows: Rows) -> Rows:
        item, stored = rows[2]
        assert isinstance(item.what, Booked)
        first, *rest = item.what.postings
        parts = (replace(first, **{name: value}), *rest)  # type: ignore[arg-type]
        changed = replace(item, what=replace(item.what, postings=parts))
        return [*rows[:2], (changed, stored), *rows[3:]]

    return alter


def _said(place: int, name: str, value: object) -> Callable[[Rows], Rows]:
    """Alter a field of what the item at `place` says."""

    def alter(rows: Rows) -> Rows:
        item, stored = rows[place]
        changed = replace(item, what=replace(item.what, **{name: value}))  # type: ignore[arg-type]
        return [*rows[:place], (changed, stored), *rows[place + 1 :]]

    return alter


def _rehashed(rows: Rows) -> Rows:
    """One item altered with a hash that fits it: the next one no longer fits."""
    item = replace(rows[2][0], reason="forged")
    return [*rows[:2], (item, next_hash(rows[1][1], item)), *rows[3:]]


@pytest.mark.parametrize(
    "tamper",
    [
        *(
            _altered(name, value)
            for name, value in {
                "command_id": "c-9",
                "actor_kind": "x",
                "actor_id": "t2",
                "reason": "because",
                "product": "p@2",
                "at": AT.replace(microsecond=1),
                "posted_on": date(2026, 3, 3),
            }.items()
        ),
        *(
            _posting(name, value)
            for name, value in {
                "account": "owed/L1/1/cost",
                "minor": 8,
                "currency": "EUR",
                "loan": "L2",
                "number": 2,
                "component": "fee",
                "payment": "R",
                "order_no": "O",
                "line": "X",
                "party": "g",
                "place": "bank/A",
            }.items()
        ),
        *(
            _said(1, name, value)
            for name, value in {
                "subject": Subject("installment", "L1/2"),
                "loan_id": "L2",
                "source": "DUE",
                "target": "CLOSED",
                "event": "cancelled",
                "order_no": "O",
                "detail": "x",
            }.items()
        ),
        *(
            _said(2, name, value)
            for name, value in {
                "ledger": "other",
                "event": "waived",
                "value_on": date(2026, 3, 1),
            }.items()
        ),
        *(
            _said(3, name, value)
            for name, value in {
                "kind": "hold",
                "identity": "e" * 64,
                "dedup_key": "outcome/O/00",
                "approver": "ops-2",
                "rule": "hold.known",
                "answer": "no",
                "subject": Subject("installment", "L1/1"),
                "loan_id": "L2",
            }.items()
        ),
        lambda rows: [*rows[:2], *rows[3:]],
        lambda rows: rows[:-1],
        lambda rows: [*rows[:2], rows[3], rows[2], *rows[4:]],
        lambda rows: [*rows[:3], rows[2], *rows[3:]],
        lambda rows: [*rows, (_item(7), "f" * 64)],
        lambda rows: [*rows[:3], (rows[3][0], "f" * 64), *rows[4:]],
        _rehashed,
    ],
)
def test_any_change_of_the_journal_is_found(tamper: Callable[[Rows], Rows]) -> None:
    """A flipped field, a removed, swapped, repeated or added row, a forged hash."""
    rows = _journal()
    assert _check(tamper(rows), rows)


def test_one_altered_row_is_one_fault() -> None:
    """The report names the item, instead of calling everything after it wrong."""
    rows = _journal()
    assert _check(_altered("reason", "x")(rows), rows) == (
        "item 3 (entry fell_due of command c-3) is not what was hashed",
    )
    assert _check(_said(1, "target", "CLOSED")(rows), rows) == (
        "item 2 (move of installment/L1/1) is not what was hashed",
    )
    assert _check(_said(3, "approver", "ops-2")(rows), rows) == (
        "item 4 (command roll_day c-4) is not what was hashed",
    )


def test_an_entry_that_does_not_balance_is_found_even_if_it_was_hashed() -> None:
    """Sums are recomputed, not trusted: one-sided and lop-sided entries."""
    lopsided = Booked(
        "main", "x", date(2026, 3, 2), (Posting("a", 1, "CNY"), Posting("b", -2, "CNY"))
    )
    single = Booked("main", "x", date(2026, 3, 2), (Posting("a", 1, "CNY"),))
    for what in (lopsided, single):
        item = replace(_item(1), what=what)
        head = next_hash(GENESIS, item)
        found = verify([(item, head)], seq=1, head=head)
        assert any("balance" in fault for fault in found.faults)
        assert any("sum to" in fault for fault in found.faults)


def test_an_entry_that_moves_money_and_leaves_its_item_is_found() -> None:
    """It balances as a whole, and not at the two places."""
    moved = Booked(
        "main",
        "settled",
        date(2026, 3, 2),
        (
            Posting("bank/A", 5, "CNY", place="bank/A"),
            Posting("clearing/r", -5, "CNY", place="clearing/r"),
        ),
    )
    item = replace(_item(1), what=moved)
    head = next_hash(GENESIS, item)
    assert verify([(item, head)], seq=1, head=head).faults == [
        "entry 1 does not balance: 5 CNY at bank/A",
        "entry 1 does not balance: -5 CNY at clearing/r",
    ]


def test_nothing_is_posted_on_a_day_before_what_it_follows() -> None:
    """Statements of account run by that day: it never goes back."""
    first, second = _item(1), replace(_item(2), posted_on=date(2026, 3, 1))
    hashes = [next_hash(GENESIS, first)]
    hashes.append(next_hash(hashes[0], second))
    found = verify(zip((first, second), hashes, strict=True), seq=2, head=hashes[1])
    assert found.faults == [
        "item 2 (move of installment/L1/1) is posted on 2026-03-01, after 2026-03-02"
    ]


def test_faults_are_limited() -> None:
    """A journal that is wrong on every row does not fill the memory with saying so."""
    rows = [(item, "0" * 64) for item, _ in _journal(200)]
    assert len(verify(rows, seq=200, head="0" * 64).faults) == 50


def test_a_hash_depends_on_the_one_before_it() -> None:
    """The same item after another hash has another hash."""
    assert next_hash("a" * 64, _item(1)) != next_hash("b" * 64, _item(1))


def test_every_fault_of_a_journal_is_reported_in_words() -> None:
    """A gap, an alteration, a single posting, an entry off by one, an end that is not the head."""
    rows = _journal()
    item, stored = rows[2]
    assert isinstance(item.what, Booked)
    single = replace(item, what=replace(item.what, postings=item.what.postings[:1]))
    reported = _check([*rows[:1], (single, stored), *rows[3:5]], rows)
    assert reported == (
        "item 3 follows item 1",
        "item 3 (entry fell_due of command c-3) is not what was hashed",
        "entry 3 has fewer than two postings",
        "entry 3 does not balance: 7 CNY",
        "the journal ends at item 5, its head says 6",
        "all postings in CNY sum to 7",
    )
