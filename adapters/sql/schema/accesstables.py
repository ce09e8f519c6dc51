"""The tables of persons, their rights and keys, and of orders that wait for a second person."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from adapters.sql.schema.journaltables import metadata
from adapters.sql.schema.types import Instant

persons = Table(
    "persons",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", String(120), nullable=False),
    # A hash (argon2id) and an encrypted secret; empty where the person does not log in.
    Column("password", String(200), nullable=False),
    Column("second_factor", LargeBinary),
    # The last step whose code was used, and failed logins since the last good one.
    Column("code_step", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Instant),
)

person_roles = Table(
    "person_roles",
    metadata,
    Column("person", ForeignKey("persons.id"), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("portfolio", String(60), primary_key=True),
    Column("given_at", Instant, nullable=False),
    Column("given_by", String(120), nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("person", ForeignKey("persons.id"), nullable=False, index=True),
    # SHA-256 of the secret, which has 256 random bits.
    Column("digest", String(64), nullable=False, unique=True),
    # Names of rights, separated by blanks.
    Column("scopes", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_by", String(120), nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("revoked_at", Instant),
)

portfolio_products = Table(
    "portfolio_products",
    metadata,
    # A product that is in none belongs to the usual one.
    Column("product", String(120), primary_key=True),
    Column("portfolio", String(60), nullable=False),
)

order_requests = Table(
    "order_requests",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("requester", ForeignKey("persons.id"), nullable=False),
    Column("approver", ForeignKey("persons.id")),
    Column("command_id", String(240), nullable=False, unique=True),
    Column("kind", String(40), nullable=False),
    Column("loan_id", String(120), nullable=False),
    Column("portfolio", String(60), nullable=False),
    Column("rule", String(80), nullable=False),
    Column("body", Text, nullable=False),
    Column("command_digest", String(64), nullable=False),
    Column("preview", Text, nullable=False),
    Column("preview_digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("why", Text, nullable=False),
    CheckConstraint("approver IS NULL OR approver <> requester", name="two_people"),
    CheckConstraint(
        "state NOT IN ('approved', 'done', 'refused') OR approver IS NOT NULL", name="decided_by"
    ),
    Index("ix_order_requests_state", "state", "asked_at", "id"),
    Index("ix_order_requests_requester_state", "requester", "state"),
)

order_amounts = Table(
    "order_amounts",
    metadata,
    # What counts against limits: orders that are done, and those that wait.
    Column("command_id", String(240), primary_key=True),
    Column("requester", ForeignKey("persons.id"), nullable=False),
    Column("loan_id", String(120), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_order_amounts_requester_at", "requester", "at"),
    Index("ix_order_amounts_loan_id_at", "loan_id", "at"),
)

access_log = Table(
    "access_log",
    metadata,
    # Refusals, decisions and changes of rights. Ids are random: nobody numbers them.
    Column("id", String(32), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("who", String(120), nullable=False),
    Column("door", String(20), nullable=False),
    Column("what", String(60), nullable=False),
    Column("about", String(320), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("rule", String(80), nullable=False),
    Index("ix_access_log_at_id", "at", "id"),
    Index("ix_access_log_who_at", "who", "at"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    # By the proven caller, so that nobody uses up the key of another.
    Column("caller", String(60), primary_key=True),
    Column("key", String(120), primary_key=True),
    Column("digest", String(64), nullable=False),
    # Until when a request that is at work holds it; empty once it is answered.
    Column("held_until", Instant),
    Column("holder", String(32), nullable=False),
    Column("resource", String(400), nullable=False),
    Column("at", Instant, nullable=False),
)
