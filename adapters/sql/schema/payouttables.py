"""The tables of money that goes out. `adapters.sql.schema.tables` has them too, with all others."""

from sqlalchemy import BigInteger, Column, Date, ForeignKey, Index, Integer, String, Table, Text

from adapters.sql.schema.journaltables import metadata

payable_items = Table(
    "payable_items",
    metadata,
    # What parties are due of payments and do not hold: what a payout may remit, item by item.
    Column("loan_id", ForeignKey("loans.id"), primary_key=True),
    Column("payment", String(160), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("component", String(20), primary_key=True),
    Column("party", String(120), primary_key=True),
    # A bank account where a booked line shows the money, else the clearing account.
    Column("place", String(240), primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
    # What of it is in a payout of which its loan has not learnt.
    Column("taken_minor", BigInteger, nullable=False),
    # The ledger's day since which something is due there.
    Column("since", Date, nullable=False),
    Index("ix_payable_items_place", "place", "currency", "party"),
)

receivable_items = Table(
    "receivable_items",
    metadata,
    # What parties have to give back of payments that were paid out and taken back since.
    Column("loan_id", ForeignKey("loans.id"), primary_key=True),
    Column("payment", String(160), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("component", String(20), primary_key=True),
    Column("party", String(120), primary_key=True),
    Column("place", String(240), primary_key=True),
    Column("currency", String(3), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Index("ix_receivable_items_place", "place", "currency", "party"),
)

payouts = Table(
    "payouts",
    metadata,
    # What payouts are found by, with their bodies; what lists show of them is in `subjects`.
    Column("key", String(240), primary_key=True),
    Column("order_no", String(120), nullable=False, unique=True),
    Column("payee", String(120), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("account", String(60), nullable=False),
    Column("cut_off_on", Date, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("minor", BigInteger, nullable=False),
    Column("items", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    # The payment that it refunds; empty of a remittance.
    Column("payment", String(160), index=True),
    Column("body", Text, nullable=False),
    Index("ix_payouts_account_currency_state", "account", "currency", "state"),
)

payout_items = Table(
    "payout_items",
    metadata,
    # What a payout pays: these rows stand for its posting to the payee's payable.
    Column("payout", String(240), primary_key=True),
    Column("loan_id", String(120), primary_key=True),
    Column("payment", String(160), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("component", String(20), primary_key=True),
    Column("minor", BigInteger, nullable=False),
    Index("ix_payout_items_loan_id", "loan_id"),
)
