CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS accounts (
  account TEXT PRIMARY KEY, currency TEXT NOT NULL, balance INTEGER NOT NULL,
  seq INTEGER NOT NULL, next_day TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS rails (
  name TEXT PRIMARY KEY, merchant_id TEXT NOT NULL, api_secret TEXT NOT NULL, webhook_url TEXT NOT NULL,
  webhook_secret TEXT NOT NULL, account TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS mandates (
  rail TEXT NOT NULL, mandate_ref TEXT NOT NULL, account_token TEXT NOT NULL, cap_minor INTEGER,
  currency TEXT NOT NULL, valid_from TEXT NOT NULL, valid_to TEXT, status TEXT NOT NULL,
  PRIMARY KEY (rail, mandate_ref)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS orders (
  ref TEXT PRIMARY KEY, rail TEXT NOT NULL, account TEXT NOT NULL, merchant_id TEXT NOT NULL, order_no TEXT NOT NULL, mandate_ref TEXT NOT NULL,
  amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, value_on TEXT NOT NULL, purpose TEXT NOT NULL,
  fingerprint TEXT NOT NULL, received_ms INTEGER NOT NULL, hidden_until_ms INTEGER NOT NULL,
  plan_code TEXT NOT NULL, plan_minor INTEGER NOT NULL, again_ms INTEGER NOT NULL,
  code TEXT NOT NULL, status TEXT NOT NULL, executed_minor INTEGER NOT NULL DEFAULT 0,
  bank_ref TEXT, executed_ms INTEGER, batch_ref TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_mandate ON orders (rail, mandate_ref, received_ms);
CREATE INDEX IF NOT EXISTS orders_pending ON orders (status) WHERE status = 'PENDING';
CREATE TABLE IF NOT EXISTS executions (
  bank_ref TEXT PRIMARY KEY, order_ref TEXT NOT NULL, amount_minor INTEGER NOT NULL,
  executed_ms INTEGER NOT NULL, value_on TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS executions_by_order ON executions (order_ref);
CREATE TABLE IF NOT EXISTS movements (
  id TEXT PRIMARY KEY, account TEXT NOT NULL, rail TEXT, order_no TEXT, mandate_ref TEXT, bank_ref TEXT NOT NULL,
  batch_ref TEXT, kind TEXT NOT NULL, amount_minor INTEGER NOT NULL, currency TEXT NOT NULL,
  booked_on TEXT NOT NULL, value_on TEXT NOT NULL, reason TEXT, text TEXT NOT NULL, statement_id TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS movements_open ON movements (account, booked_on) WHERE statement_id IS NULL;
CREATE TABLE IF NOT EXISTS payouts (
  order_no TEXT PRIMARY KEY, account TEXT NOT NULL, beneficiary TEXT NOT NULL, amount_minor INTEGER NOT NULL,
  currency TEXT NOT NULL, fingerprint TEXT NOT NULL, received_ms INTEGER NOT NULL, code TEXT NOT NULL,
  status TEXT NOT NULL, bank_ref TEXT NOT NULL, executed_ms INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reports (
  reference TEXT PRIMARY KEY, kind TEXT NOT NULL, loan_id TEXT NOT NULL, borrower TEXT NOT NULL, currency TEXT NOT NULL,
  principal_minor INTEGER NOT NULL, owed_minor INTEGER NOT NULL, disbursed_on TEXT NOT NULL, as_of TEXT NOT NULL,
  fingerprint TEXT NOT NULL, received_ms INTEGER NOT NULL, status TEXT NOT NULL, code TEXT NOT NULL, receipt TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS statements (
  id TEXT PRIMARY KEY, account TEXT NOT NULL, date TEXT NOT NULL, seq INTEGER NOT NULL,
  opening_minor INTEGER NOT NULL, closing_minor INTEGER NOT NULL, entries INTEGER NOT NULL,
  available_ms INTEGER NOT NULL, copy_of TEXT, sha256 TEXT NOT NULL, xml TEXT NOT NULL, csv TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS statements_by_day ON statements (account, date);
CREATE TABLE IF NOT EXISTS events (
  due_ms INTEGER NOT NULL, kind TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (due_ms, kind, ref)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhooks (
  id INTEGER PRIMARY KEY, rail TEXT NOT NULL, webhook_id TEXT NOT NULL, type TEXT NOT NULL, order_no TEXT, flavour TEXT NOT NULL,
  body TEXT NOT NULL, due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS webhooks_queued ON webhooks (due_ms) WHERE state = 'queued';
CREATE TABLE IF NOT EXISTS notices (
  message_id TEXT PRIMARY KEY, channel TEXT NOT NULL, recipient TEXT NOT NULL, subject TEXT, text TEXT NOT NULL,
  lang TEXT, provider_id TEXT NOT NULL, received_ms INTEGER NOT NULL, outcome TEXT NOT NULL, posts INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals (rail TEXT NOT NULL, order_no TEXT NOT NULL, at_ms INTEGER NOT NULL, code TEXT NOT NULL);
