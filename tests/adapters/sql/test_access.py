"""Persons, keys, requests and lists by portfolio in both databases."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.access.idempotency import HELD, SqlIdempotencyKeys
from adapters.sql.access.log import SqlAccessLog
from adapters.sql.access.narrowed import SqlApiQueries
from adapters.sql.access.persons import KEYS_MOST, SqlPersons
from adapters.sql.access.portfolios import SqlPortfolios
from adapters.sql.access.requests import SqlOrderRequests
from adapters.sql.access.secrets import AccessSecrets
from adapters.sql.write.books import SqlBooks
from domain.access.apikey import new_key, rotated
from domain.access.person import Grant, Person, PersonKind, PersonState, Role
from domain.access.review import Needed, Spent
from domain.access.rights import Right
from domain.errors import InvalidInput, InvariantBroken
from domain.kernel.command import Actor
from domain.loan.commands import Cancel
from ports.access import AccessEvent, AccessLog, Persons, Portfolios
from ports.apiqueries import ApiQueries
from ports.idempotency import AtWork, Held, IdempotencyKeys, OtherBody
from ports.orderrequests import Asked, OrderRequests, Weighed
from ports.previews import PreviewChanged, Previews
from tests.support.booksbench import NOON, StillClock
from tests.support.memory import TESTER, board

ANN = Person("ann", grants=(Grant(Role.APPROVER, "main"), Grant(Role.VIEWER)))
HERE = frozenset({"main"})


def _event(what: str = "add") -> AccessEvent:
    return AccessEvent(NOON, "admin", "cli", what, "ann", "changed")


def _persons(engine: AsyncEngine, folder: Path) -> SqlPersons:
    return SqlPersons(engine, AccessSecrets(folder / "access.key"))


def test_the_adapters_are_what_the_ports_ask_for(
    engine: AsyncEngine, books: SqlBooks, tmp_path: Path
) -> None:
    """The type checker compares every signature; here the pieces are only put together."""
    doors: tuple[
        Persons, Portfolios, AccessLog, OrderRequests, IdempotencyKeys, ApiQueries, Previews
    ] = (
        _persons(engine, tmp_path),
        SqlPortfolios(engine),
        SqlAccessLog(engine),
        SqlOrderRequests(engine),
        SqlIdempotencyKeys(engine),
        SqlApiQueries(engine),
        books,
    )
    assert len(doors) == 7


async def test_a_person_is_read_back_and_changed_with_its_line_of_the_log(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """Every change of rights stands in the log, in the same transaction."""
    persons, log = _persons(engine, tmp_path), SqlAccessLog(engine)
    await persons.add(ANN, None, _event())
    assert await persons.person("ann") == ANN
    with pytest.raises(InvalidInput, match="an id that is free"):
        await persons.add(ANN, None, _event())
    grants = (Grant(Role.VIEWER),)
    changed = await persons.change("ann", _event("grant"), grants=grants)
    assert changed == replace(ANN, grants=grants)
    gone = await persons.change("ann", _event("disable"), state=PersonState.DISABLED)
    assert gone == replace(changed, state=PersonState.DISABLED)
    with pytest.raises(InvalidInput, match="not held together"):
        await persons.change(
            "ann", _event(), grants=(Grant(Role.ADMIN), Grant(Role.APPROVER, "main"))
        )
    with pytest.raises(InvalidInput, match="a person that was added"):
        await persons.change("eve", _event(), grants=())
    assert (await persons.persons("", 10)).items == (gone,)
    lines = (await log.events("", 10)).items
    assert sorted(one.what for one in lines) == ["add", "disable", "grant"]


async def test_lists_of_persons_and_of_the_log_go_on_where_they_ended(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """Each of them once, page by page."""
    persons, log = _persons(engine, tmp_path), SqlAccessLog(engine)
    for name in ("bob", "ann", "eve"):
        await persons.add(replace(ANN, id=name), None, _event(name))
    first = await persons.persons("", 2)
    rest = await persons.persons(first.after, 2)
    assert [one.id for one in (*first.items, *rest.items)] == ["ann", "bob", "eve"]
    assert rest.after == ""
    page = await log.events("", 2)
    more = await log.events(page.after, 2)
    assert {one.what for one in (*page.items, *more.items)} == {"ann", "bob", "eve"}


async def test_keys_are_kept_rotated_revoked_and_limited(
    engine: AsyncEngine, tmp_path: Path
) -> None:
    """The successor and the end of the old one are of one transaction."""
    persons = _persons(engine, tmp_path)
    await persons.add(ANN, None, _event())
    scopes = frozenset({Right.READ_LOANS})
    old = new_key("aaaaaaaaaaaa", "s" * 43, ANN, scopes, NOON, 30)
    await persons.keep_key(old, _event("issue"))
    assert await persons.key(old.id) == (old, ANN)
    assert await persons.key("bbbbbbbbbbbb") is None
    new = new_key("bbbbbbbbbbbb", "t" * 43, ANN, scopes, NOON + timedelta(hours=1), 30)
    ending = rotated(old, NOON, timedelta(hours=2))
    await persons.keep_key(new, _event("rotate"), replaces=ending)
    assert await persons.keys("ann") == (new, ending)
    await persons.revoke(new.id, _event("revoke"))
    found = await persons.key(new.id)
    assert found is not None
    assert found[0].revoked_at == NOON
    with pytest.raises(InvalidInput, match="not revoked"):
        await persons.revoke(new.id, _event("revoke"))
    for place in range(KEYS_MOST - 1):
        more = new_key(f"c{place:011d}", f"{place:043d}", ANN, scopes, NOON, 30)
        await persons.keep_key(more, _event("issue"))
    last = new_key("dddddddddddd", "u" * 43, ANN, scopes, NOON, 30)
    with pytest.raises(InvalidInput, match="live keys"):
        await persons.keep_key(last, _event("issue"))


async def test_the_access_key_lies_beside_the_books_and_nobody_else_reads_it(
    tmp_path: Path,
) -> None:
    """Without it, with another one, or readable by others, no second factor is read."""
    path = tmp_path / "access.key"
    kept = AccessSecrets(path)
    with pytest.raises(InvalidInput, match="access_key"):
        kept.unseal(b"x" * 40)
    sealed = kept.seal(b"secret")
    assert kept.unseal(sealed) == b"secret"
    assert path.stat().st_mode & 0o077 == 0
    other = AccessSecrets(tmp_path / "other.key")
    other.seal(b"x")
    with pytest.raises(InvariantBroken):
        other.unseal(sealed)
    path.chmod(0o644)
    with pytest.raises(InvalidInput, match="nobody but its user"):
        kept.unseal(sealed)
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(InvalidInput, match="32 bytes"):
        kept.unseal(sealed)
    assert await kept.matches(await kept.hash("a"), "a")
    assert not await kept.matches("", "a")


async def test_a_key_of_a_request_is_held_kept_and_given_back(engine: AsyncEngine) -> None:
    """One holder at a time; a dead one is taken over; what is kept stands for ever."""
    keys = SqlIdempotencyKeys(engine)
    mine = await keys.hold("ann", "k", "d1", NOON)
    assert isinstance(mine, Held)
    assert not mine.again
    assert await keys.hold("ann", "k", "d1", NOON) == AtWork(60)
    assert await keys.hold("ann", "k", "d2", NOON) == OtherBody()
    assert isinstance(await keys.hold("bob", "k", "d2", NOON), Held)
    await keys.give_back("ann", "k", mine)
    second = await keys.hold("ann", "k", "d2", NOON)
    assert isinstance(second, Held)
    taken = await keys.hold("ann", "k", "d2", NOON + HELD)
    assert isinstance(taken, Held)
    assert taken.again
    await keys.keep("ann", "k", second, "r", NOON)  # its holder was dead, and is no longer asked
    assert isinstance(await keys.hold("ann", "k", "d2", NOON + HELD), AtWork)
    await keys.keep("ann", "k", taken, "r", NOON)
    await keys.give_back("ann", "k", taken)
    known = await keys.hold("ann", "k", "d2", NOON + timedelta(days=9999))
    assert isinstance(known, Held)
    assert known.again


async def test_lists_show_the_portfolios_that_are_seen(
    engine: AsyncEngine, books: SqlBooks
) -> None:
    """Loans, installments and events of other portfolios are left out, and seen by `*`."""
    portfolios, lists = SqlPortfolios(engine), SqlApiQueries(engine)
    await books.apply(board("L1"))
    far = board("S1")
    await books.apply(replace(far, product=replace(far.product, id="far")))
    await portfolios.put("far", "south", _event())
    assert await portfolios.of_loan("L1") == "main"
    assert await portfolios.of_loan("S1") == await portfolios.of_product("far") == "south"
    assert await portfolios.of_loan("none") is None
    with pytest.raises(InvalidInput, match="one portfolio"):
        await portfolios.put("far", "*", _event())
    for seen, loans in (
        (HERE, ["L1"]),
        (frozenset({"south"}), ["S1"]),
        (frozenset({"*"}), ["L1", "S1"]),
        (frozenset({"none"}), []),
    ):
        rows = await lists.loan_rows(seen, "", 10)
        assert [row.loan_id for row in rows.items] == loans
        views = await lists.views("installment", seen, (), "", 10)
        assert sorted({view.labels.loan_id for view in views.items}) == loans
        happened, last = await lists.happened(seen, "", 10)
        about = {one.loan_id for one in happened.items}
        assert sorted(about - {""}) == loans
        assert ("" in about) is ("*" in seen)
        assert bool(last) is bool(happened.items)
        assert (await lists.payments(seen, "", "", 10)).items == ()
    assert (await lists.views("installment", HERE, ("CLOSED",), "", 10)).items == ()
    assert await lists.payment("none") is None


async def test_walking_events_while_more_come_gives_each_once(
    engine: AsyncEngine, books: SqlBooks
) -> None:
    """Who asks again behind the last event gets what came since, and nothing twice."""
    lists, everything = SqlApiQueries(engine), frozenset({"*"})
    await books.apply(board("L1"))
    page, last = await lists.happened(everything, "", 100)
    assert (await lists.happened(everything, last, 100))[0].items == ()
    await books.apply(Cancel(id="c", actor=TESTER, reason="r", loan_id="L1", number=1))
    more, _ = await lists.happened(everything, last, 100)
    assert [(one.key, one.target) for one in more.items] == [("L1/1", "CANCELLED")]
    assert more.items[0].seq > max((one.seq for one in page.items), default=0)


def _order() -> Cancel:
    return Cancel(id="c", actor=Actor("operator", "ops"), reason="r", loan_id="L1", number=1)


async def test_an_order_does_what_its_preview_showed_or_nothing(
    books: SqlBooks, clock: StillClock
) -> None:
    """The comparison is made under the locks of the write."""
    await books.apply(board("L1"))
    shown = await books.preview(_order())
    digest = shown.digest()  # type: ignore[union-attr]
    with pytest.raises(PreviewChanged) as changed:
        await books.apply_as_previewed(_order(), "0" * 64)
    assert changed.value.found == shown
    done = await books.apply_as_previewed(_order(), digest)
    assert not done.replayed
    assert (await books.apply_as_previewed(_order(), "0" * 64)).replayed
    assert (await books.preview(_order())).replayed  # type: ignore[union-attr]


async def test_limits_count_what_waits_and_what_is_done(
    engine: AsyncEngine, books: SqlBooks, tmp_path: Path
) -> None:
    """By loan and by requester in the window; what was dropped counts no longer."""
    await books.apply(board("L1"))
    await _persons(engine, tmp_path).add(
        Person("core", PersonKind.PROGRAM, grants=(Grant(Role.SERVICE),)), None, _event()
    )
    requests, seen = SqlOrderRequests(engine), []

    def ask(spent: Spent) -> Needed:
        seen.append((spent.loan_minor, spent.requester_minor))
        return Needed(four_eyes=False, rule="")

    def never(_needed: Needed) -> Asked:
        raise AssertionError

    async def take(name: str, minor: int, loan: str = "L1", days: int = 0) -> None:
        at = NOON + timedelta(days=days)
        await requests.take(Weighed(name, "core", loan, "waive", "CNY", minor, at), ask, never)

    await take("a", 5)
    await take("b", 7, loan="L2")
    await take("c", 1)
    await take("a", 5)  # taken before: nobody is asked again
    await requests.drop("b")
    await take("d", 1)
    await take("e", 1, days=31)
    assert seen == [(0, 0), (0, 5), (5, 12), (6, 6), (0, 0)]
