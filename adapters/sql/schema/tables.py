"""Every table of the books. Migrations create them; a test compares the two.

The journal (commands, transitions, entries with their postings) is the truth. `body` columns are
projections of the domain's dataclasses as JSON; beside them stands a typed column for everything
that is looked up.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    text,
)

from adapters.sql.schema import (
    accesstables,
    audittables,
    casetables,
    matchtables,
    payouttables,
)
from adapters.sql.schema import journaltables as _journal
from adapters.sql.schema.outboxtable import outbox_table, undecided, undelivered
from adapters.sql.schema.types import Instant

metadata = _journal.metadata
commands = _journal.commands
chain_head = _journal.chain_head
entries = _journal.entries
postings = _journal.postings
transitions = _journal.transitions
balances = _journal.balances
checkpoints, receipts = _journal.checkpoints, _journal.receipts

cases, case_items = casetables.cases, casetables.case_items
case_links, case_words = casetables.case_links, casetables.case_words
payable_items, receivable_items = payouttables.payable_items, payouttables.receivable_items
payouts, payout_items = payouttables.payouts, payouttables.payout_items
waiting_pieces, waiting_keys = matchtables.waiting_pieces, matchtables.waiting_keys
audit_days, signoffs = audittables.audit_days, audittables.signoffs
persons, person_roles = accesstables.persons, accesstables.person_roles
api_keys, portfolio_products = accesstables.api_keys, accesstables.portfolio_products
order_requests, order_amounts = accesstables.order_requests, accesstables.order_amounts
access_log, idempotency_keys = accesstables.access_log, accesstables.idempotency_keys

# SQLite numbers rows by itself only in a column that is exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")

products = Table(
    "products",
    metadata,
    Column("ref", String(120), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

loans = Table(
    "loans",
    metadata,
    Column("id", String(120), primary_key=True),
    Column("tenant", String(120), nullable=False),
    Column("product_ref", ForeignKey("products.ref"), nullable=False),
    # Of the product: days of the bulk sweep begin at its midnight.
    Column("timezone", String(60), nullable=False),
    Column("mandate_ref", String(120), nullable=False, index=True),
    # By which money that the payer sends is known to be for it: see `domain.matching.reference`.
    Column("creditor_ref", String(25), nullable=False, index=True),
    Column("virtual_account", String(18), nullable=False, index=True),
    Column("content", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    # Counts writes of anything under this row's lock: what a cached aggregate is compared with.
    Column("revision", BigInteger, nullable=False),
    Column("next_roll_on", Date),
    Column("body", Text, nullable=False),
    Index("ix_loans_next_roll_on_id", "next_roll_on", "id"),
)

mandates = Table(
    "mandates",
    metadata,
    Column("ref", String(120), primary_key=True),
    Column("rail", String(60), nullable=False),
    Column("payer", String(120), nullable=False, index=True),
    # The account that is debited, by its token.
    Column("account_token", String(120), nullable=False, index=True),
    # Account and payer once more, where no debit of them goes out under any mandate.
    Column("barred_account", String(120), index=True),
    Column("barred_payer", String(120), index=True),
    Column("state", String(20), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    # The first day without debits; empty while it stands.
    Column("ended_on", Date),
    # How many loans are under it.
    Column("loans", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)

subjects = Table(
    "subjects",
    metadata,
    # Everything that has states, of whatever kind: see `domain.kernel.view.View`.
    Column("kind", String(40), primary_key=True),
    Column("key", String(320), primary_key=True),
    Column("tenant", String(120), nullable=False),
    Column("state", String(40), nullable=False),
    # Since when: ages of states are read from the index alone.
    Column("state_since", Instant, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("is_final", Boolean, nullable=False),
    Column("next_action_at", Instant),
    Column("next_action_kind", String(40)),
    Column("needs_operator", Boolean, nullable=False),
    Column("changed_at", Instant, nullable=False),
    # What it is found by; empty where it has none. Borrower and product are of installments.
    Column("borrower", String(120), nullable=False),
    Column("product", String(120), nullable=False),
    Column("loan_id", String(120), nullable=False),
    Column("number", Integer),
    Column("due_on", Date),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("rail", String(60), nullable=False),
    Column("code", String(60), nullable=False),
    Column("owner", String(120), nullable=False),
    # Who drives it, whether that was started, and what it knows.
    Column("driven_by", String(20), nullable=False),
    Column("opened", Boolean, nullable=False),
    Column("notified_of", String(320), nullable=False),
    Column("asleep_until", Instant),
    # Of a payout it is empty: the body stands in `payouts`; that of a closure stands in its loan.
    Column("body", Text, nullable=False),
    Column("view", Text, nullable=False),
    Index("ix_subjects_loan_id_kind", "loan_id", "kind"),
    Index("ix_subjects_kind_state_since", "kind", "state", "state_since", "key"),
    Index("ix_subjects_borrower", "borrower", "kind"),
    Index("ix_subjects_kind_since", "kind", "state_since", "key"),
)
NEEDED = subjects.c.needs_operator
"""Subjects that wait for a person."""
Index(
    "ix_subjects_needed",
    subjects.c.kind,
    subjects.c.state_since,
    subjects.c.key,
    postgresql_where=NEEDED,
    sqlite_where=NEEDED,
)
RUNNING = subjects.c.opened & ~subjects.c.is_final
"""Subjects whose driver was started and has not ended."""
Index(
    "ix_subjects_running",
    subjects.c.next_action_at,
    postgresql_where=RUNNING,
    sqlite_where=RUNNING,
)
Index(
    "ix_subjects_unfinished",
    subjects.c.kind,
    subjects.c.key,
    postgresql_where=RUNNING,
    sqlite_where=RUNNING,
)

SWEPT = (subjects.c.driven_by == "sweep") & ~subjects.c.is_final
"""Subjects without a driver of their own, whose actions a sweep performs."""
Index(
    "ix_subjects_swept",
    subjects.c.kind,
    subjects.c.next_action_at,
    subjects.c.key,
    postgresql_where=SWEPT,
    sqlite_where=SWEPT,
)

attempts = Table(
    "attempts",
    metadata,
    Column("loan_id", ForeignKey("loans.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("order_no", String(120), nullable=False, unique=True),
    Column("mandate_ref", String(120), nullable=False, index=True),
    Column("rail", String(60), nullable=False),
    Column("batch_ref", String(120), index=True),
    Column("state", String(20), nullable=False, index=True),
    Column("outcome_class", String(30)),
    Column("amount_minor", BigInteger, nullable=False),
    Column("value_on", Date, nullable=False),
    # When the file leaves in which it waits, or has waited; empty where it is sent by itself.
    Column("cut_at", Instant),
)
_in_file = (attempts.c.state == "INTENDED") & attempts.c.cut_at.is_not(None)
Index(
    "ix_attempts_in_file",
    attempts.c.rail,
    attempts.c.cut_at,
    postgresql_where=_in_file,
    sqlite_where=_in_file,
)

notices = Table(
    "notices",
    metadata,
    Column("message_id", String(160), primary_key=True),
    Column("loan_id", ForeignKey("loans.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("channel", String(30), nullable=False),
    Column("state", String(20), nullable=False),
    Column("queued_at", Instant, nullable=False),
    Index("ix_notices_loan_id_number", "loan_id", "number"),
)

portions = Table(
    "portions",
    metadata,
    Column("loan_id", ForeignKey("loans.id"), primary_key=True),
    Column("id", String(160), primary_key=True),
    # The order in which the loan got them; bodies are read back in it.
    Column("position", Integer, nullable=False),
    Column("number", Integer),
    Column("order_no", String(120)),
    Column("amount_minor", BigInteger, nullable=False),
    # What lies in suspense, whether or not it is to be refunded.
    Column("waiting_minor", BigInteger, nullable=False),
    Column("clearing_minor", BigInteger, nullable=False),
    Column("returned_minor", BigInteger, nullable=False),
    # What was ordered to be refunded, less what its payer owes back.
    Column("refunded_minor", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_portions_id", "id"),
)
_waits = portions.c.waiting_minor > 0
Index(
    "ix_portions_waiting",
    portions.c.id,
    postgresql_where=_waits,
    sqlite_where=_waits,
)

payments = Table(
    "payments",
    metadata,
    Column("id", String(160), primary_key=True),
    # "debit" or "transfer".
    Column("source", String(20), nullable=False),
    Column("payer", String(120), nullable=False, index=True),
    Column("order_no", String(120)),
    # The payer's own; it may repeat.
    Column("reference", String(160), nullable=False, index=True),
    # The rail's own name of the booking, as a report gave it.
    Column("bank_ref", String(160)),
    Column("currency", String(3), nullable=False),
    Column("value_on", Date, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("settled_minor", BigInteger, nullable=False),
    Column("returned_minor", BigInteger, nullable=False),
    Column("return_settled_minor", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

UNPROVEN = payments.c.amount_minor - payments.c.settled_minor
UNCLEARED = payments.c.returned_minor - payments.c.return_settled_minor != UNPROVEN
"""Payments of which bank lines prove not all: what came, less what went back."""
Index(
    "ix_payments_uncleared",
    payments.c.id,
    postgresql_where=UNCLEARED,
    sqlite_where=UNCLEARED,
)

lines = Table(
    "lines",
    metadata,
    Column("id", String(160), primary_key=True),
    Column("account", String(60), nullable=False),
    Column("statement_id", String(120), nullable=False),
    Column("booked_on", Date, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("open_minor", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
)

line_refs = Table(
    "line_refs",
    metadata,
    # Of money that came before anybody knew it: who names it later finds its line.
    Column("ref", String(160), primary_key=True),
    Column("line_id", ForeignKey("lines.id"), primary_key=True),
)


outbox = outbox_table(metadata, RowId)
UNDELIVERED = undelivered(outbox)
"""Messages that are still to be delivered: neither delivered nor dead-lettered."""
DEAD = undecided(outbox)
"""Dead letters about which nobody has decided yet."""

files = Table(
    "files",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("kind", String(60), nullable=False),
    Column("size", BigInteger, nullable=False),
    # The bank account that it was handed in for, where it is a statement file of one.
    Column("account", String(60)),
    Column("kept_at", Instant, nullable=False),
    # How far its reading has come, as JSON; empty before the first page and after the last.
    Column("reached", Text),
    Column("read_at", Instant),
    # When it was last refused: no other file waits for it.
    Column("refused_at", Instant),
    # Whether it was read and the controls of its account have not been judged with it yet.
    Column("control_due", Boolean, server_default=text("false"), nullable=False),
)
_unread = files.c.read_at.is_(None)
Index("ix_files_unread", files.c.kept_at, postgresql_where=_unread, sqlite_where=_unread)
_due = files.c.control_due.is_(True)
Index("ix_files_control_due", files.c.account, postgresql_where=_due, sqlite_where=_due)

# The content of files, in pieces of bounded size. A file is whole once it stands in `files`, whose
# row is written last, so nothing here refers to that table.
file_chunks = Table(
    "file_chunks",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("content", LargeBinary, nullable=False),
)

source_files = Table(
    "source_files",
    metadata,
    # What a source offers now and does not announce by hash: how it looked, and what became of it.
    Column("source", String(60), primary_key=True),
    Column("file_id", String(800), primary_key=True),
    Column("stamp", String(80), nullable=False),
    Column("since", Instant, nullable=False),
    Column("sha256", String(64)),
    Column("refused", String(80), nullable=False),
)

statements = Table(
    "statements",
    metadata,
    Column("account", String(60), primary_key=True),
    Column("statement_id", String(120), primary_key=True),
    # First and last day: banks begin their ids anew each year. Empty where none is stated.
    Column("period", String(21), primary_key=True),
    Column("sequence", BigInteger),
    Column("booked_on", Date),
    Column("sha256", String(64), nullable=False),
    Column("body", Text, nullable=False),
)

APPEND_ONLY = (
    "entries",
    "postings",
    "transitions",
    "commands",
    "file_chunks",
    "checkpoints",
    "receipts",
    "payout_items",
    "audit_days",
    "signoffs",
    "access_log",
)
"""Rows of these are never changed and never removed; triggers and grants say so as well."""
PRUNED = (
    "line_refs",
    "payable_items",
    "receivable_items",
    "source_files",
    "waiting_keys",
    "waiting_pieces",
    "person_roles",
    "portfolio_products",
    "order_amounts",
    "idempotency_keys",
)
"""Rows of these may be removed by the application, once they have done their work.

Messages that were delivered are removed by the owner alone: see `adapters.sql.schema.pruning`.
"""
