"""Makes proofs from the journal: which item stands where, and that a checkpoint only grew."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.read.chainitems import PAGE, items_between
from adapters.sql.read.looking import look
from adapters.sql.schema.tables import commands, entries, transitions
from domain.errors import InvalidInput, InvariantBroken
from domain.kernel.canonical import canonical
from domain.ledger.chain import GENESIS, leaf_of
from domain.ledger.checkpoint import TreeHead
from domain.ledger.merkle import (
    Range,
    Tree,
    consistency_ranges,
    hashes_of,
    inclusion_ranges,
    nodes_of,
)
from domain.ledger.proofs import ConsistencyProof, InclusionProof, prove_consistency, proven_item
from ports.proofs import ITEMS_MOST

_HASHED = (commands, entries, transitions)


class SqlProofs:
    """Implements `ports.proofs.Proofs`. Every hash is read once for each call, in flat memory."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_items(self, numbers: Sequence[int], head: TreeHead) -> tuple[InclusionProof, ...]:
        """Proofs of items under a checkpoint; see the port."""
        wanted = sorted(set(numbers))
        if not 1 <= len(wanted) <= ITEMS_MOST:
            raise InvalidInput("items", len(wanted), f"1 to {ITEMS_MOST} at once")
        for number in wanted:
            if not 1 <= number <= head.size:
                rule = f"from 1 to {head.size}, the size of the checkpoint"
                raise InvalidInput("item", number, rule)
        ranges = {number: inclusion_ranges(number - 1, head.size) for number in wanted}
        async with look(self._engine, unhurried=True) as conn:
            tree = await passed_tree(
                conn, head, [part for some in ranges.values() for part in some]
            )
            made = [
                await _item(conn, number, hashes_of(ranges[number], tree.found))
                for number in wanted
            ]
        with giving_out(head):
            for proof in made:
                proven_item(proof, head)
        return tuple(made)

    async def of_growth(self, earlier: TreeHead, later: TreeHead) -> ConsistencyProof:
        """The proof that the later checkpoint's ledger begins as the earlier one; see the port."""
        if earlier.size > later.size:
            rule = f"at most {later.size}, the size of the later checkpoint"
            raise InvalidInput("checkpoint size", earlier.size, rule)
        ranges = consistency_ranges(earlier.size, later.size)
        async with look(self._engine, unhurried=True) as conn:
            tree = await passed_tree(conn, later, ranges)
        proof = ConsistencyProof(earlier.size, later.size, hashes_of(ranges, tree.found))
        with giving_out(earlier):
            prove_consistency(proof, earlier, later)
        return proof


@contextmanager
def giving_out(head: TreeHead) -> Iterator[None]:
    """Give out no proof that nobody would accept.

    Raises:
        InvariantBroken: the journal is not what the checkpoint covers.
    """
    try:
        yield
    except InvalidInput as error:
        where = "`acquit ledger verify --against` says where"
        text = f"the journal is not what checkpoint {head.size} covers: {error}; {where}"
        raise InvariantBroken(text) from None


async def passed_tree(conn: AsyncConnection, head: TreeHead, ranges: Iterable[Range]) -> Tree:
    """The tree of a checkpoint, grown from the kept hashes, with the nodes that ranges need.

    Raises:
        InvariantBroken: the journal has fewer items, or a hash that is none.
    """
    tree = Tree(wanted=[node for part in ranges for node in nodes_of(part)])
    columns = [select(table.c.seq, table.c.hash) for table in _HASHED]
    while tree.size < head.size:
        upto = min(tree.size + PAGE, head.size)
        pages = [
            one.where(one.selected_columns.seq.between(tree.size + 1, upto)) for one in columns
        ]
        rows = (await conn.execute(union_all(*pages).order_by("seq"))).all()
        if [row.seq for row in rows] != list(range(tree.size + 1, upto + 1)):
            raise InvariantBroken(
                f"items {tree.size + 1} to {upto} of the journal are not all there"
            )
        for row in rows:
            try:
                tree.add(leaf_of(row.hash))
            except ValueError:
                raise InvariantBroken(f"the hash of item {row.seq} is none") from None
    return tree


async def _item(conn: AsyncConnection, number: int, path: tuple[bytes, ...]) -> InclusionProof:
    """The proof of one item, with its content as it is hashed."""
    first = max(number - 1, 1)
    found = await items_between(conn, first, number)
    previous = GENESIS if number == 1 else found[0][1]
    return InclusionProof(number, canonical(found[-1][0]), previous, path)
