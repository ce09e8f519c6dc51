"""Temporary tables of one run of matching; they live as long as its connection uses them.

Days are ordinals, so that both databases subtract them alike. Texts are compared by code points.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

metadata = MetaData()
_Text = Text().with_variant(Text(collation="C"), "postgresql")


def _table(name: str, *columns: Column[Any] | Index) -> Table:
    return Table(name, metadata, *columns, prefixes=["TEMPORARY"])


def _number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


expectations = _table(
    "match_expectations",
    Column("id", _Text, primary_key=True),
    _number("minor"),
    Column("currency", _Text, nullable=False),
    _number("day"),
    _number("by_day"),
    _number("any_amount"),
    _number("proven"),
    _number("has_legs"),
    _number("fee_most"),
    _number("days"),
    _number("similarity"),
    _number("posts"),
    Column("said", _Text, nullable=False, server_default=""),
    # Of the books: whose it is, what an order to match calls it, and its references.
    Column("kind", _Text, nullable=False, server_default=""),
    Column("loan_id", _Text, nullable=False, server_default=""),
    Column("number", Integer, nullable=False, server_default="0"),
    Column("reference", _Text, nullable=False, server_default=""),
    Column("name", _Text, nullable=False, server_default=""),
    Column("bank_ref", _Text),
    Column("mandate_ref", _Text),
    Column("batch_ref", _Text),
    Column("virtual_account", _Text),
    # What is found: empty until then.
    Column("status", _Text),
    Column("via", _Text),
    Column("label", _Text),
)
pieces = _table(
    "match_pieces",
    Column("id", _Text, primary_key=True),
    Column("line_id", _Text, nullable=False, server_default=""),
    Column("booked", BigInteger, nullable=False, server_default="0"),
    Column("account", _Text, nullable=False),
    _number("minor"),
    Column("currency", _Text, nullable=False),
    _number("day"),
    Column("batch_count", BigInteger),
    _number("has_keys"),
    Column("said", _Text, nullable=False, server_default=""),
    Column("status", _Text),
    Column("via", _Text),
    Column("cause", _Text),
    # Why it is not matched, as far as the passes before say.
    Column("doubt", _Text),
    Column("label", _Text),
    _number("fee"),
    _number("does_post"),
    Column("loan", _Text),
)
expectation_keys = _table(
    "match_expectation_keys",
    Column("via", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("expectation", _Text, primary_key=True),
)
piece_keys = _table(
    "match_piece_keys",
    Column("via", _Text, primary_key=True),
    Column("key", _Text, primary_key=True),
    Column("piece", _Text, primary_key=True),
)
Index("match_piece_keys_piece", piece_keys.c.piece)
legs = _table(
    "match_legs",
    Column("expectation", _Text, nullable=False),
    Column("account", _Text, nullable=False),
    _number("minor"),
)
expectation_words = _table(
    "match_expectation_words",
    Column("word", _Text, primary_key=True),
    Column("expectation", _Text, primary_key=True),
)
piece_words = _table(
    "match_piece_words",
    Column("word", _Text, primary_key=True),
    Column("piece", _Text, primary_key=True),
)
terms = _table(
    "match_terms",
    # What the product of a loan tolerates.
    Column("product_ref", _Text, primary_key=True),
    _number("fee_most"),
    _number("days"),
    _number("similarity"),
    _number("posts"),
)
due = _table(
    "match_due",
    # By which day money of a product and a day is expected.
    Column("product_ref", _Text, primary_key=True),
    Column("day", BigInteger, primary_key=True, autoincrement=False),
    _number("by_day"),
)
Index("match_expectations_label", expectations.c.label)
Index("match_pieces_label", pieces.c.label)
INPUTS = (
    terms,
    due,
    expectations,
    pieces,
    expectation_keys,
    piece_keys,
    legs,
    expectation_words,
    piece_words,
)
"""What a run is given, and where it writes what it finds."""

groups = _table(
    "match_groups",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", _Text, nullable=False),
    Column("currency", _Text, nullable=False),
    _number("sign"),
    _number("minor"),
    _number("day"),
    _number("pieces"),
    _number("shown"),
    _number("wanted"),
    _number("sought"),
    Column("batch_count", BigInteger),
    Column("label", _Text, nullable=False),
    Column("decision", _Text),
)
Index("match_groups_key", groups.c.key)
group_pieces = _table(
    "match_group_pieces",
    Column("piece", _Text, primary_key=True),
    Column("grp", Integer, primary_key=True, autoincrement=False),
    _number("minor"),
)
Index("match_group_pieces_grp", group_pieces.c.grp)
group_expectations = _table(
    "match_group_expectations",
    Column("expectation", _Text, primary_key=True),
    Column("grp", Integer, primary_key=True, autoincrement=False),
    _number("minor"),
)
Index("match_group_expectations_grp", group_expectations.c.grp)
parts = _table(
    "match_parts",
    # Amounts of a group of which both sides have the same number.
    Column("grp", Integer, primary_key=True, autoincrement=False),
    Column("minor", BigInteger, primary_key=True, autoincrement=False),
    Column("label", _Text, nullable=False),
)
rests = _table(
    "match_rests",
    # What is left of a group.
    Column("grp", Integer, primary_key=True, autoincrement=False),
    Column("decision", _Text, nullable=False),
    Column("label", _Text, nullable=False),
    _number("fee"),
    _number("does_post"),
)
misplaced = _table("match_misplaced", Column("label", _Text, primary_key=True))
pairs = _table(
    "match_pairs",
    Column("piece", _Text, primary_key=True),
    Column("expectation", _Text, primary_key=True),
)
Index("match_pairs_expectation", pairs.c.expectation)
WORK = (groups, group_pieces, group_expectations, parts, rests, misplaced, pairs)
"""What a pass writes down, empty before the next one."""
