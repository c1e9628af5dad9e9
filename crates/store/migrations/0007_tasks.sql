-- Tasks to reach someone (S2, S3) and their attempts. A claim is an attempt without an outcome: it counts, and is never
-- dialled again (R26). `number` is the one that budgets count, `dialled` what was asked for.
CREATE TABLE tasks (
    id               INTEGER PRIMARY KEY,
    account          TEXT NOT NULL,
    number           TEXT NOT NULL,
    dialled          TEXT NOT NULL,
    since            INTEGER NOT NULL,
    callee_first     INTEGER NOT NULL,
    business         INTEGER NOT NULL,
    asked            INTEGER NOT NULL,
    not_before       INTEGER,
    until            INTEGER,
    slot_from        INTEGER,
    slot_to          INTEGER,
    zone             TEXT,
    priority         INTEGER NOT NULL,
    rank             INTEGER NOT NULL,
    attempts_before  INTEGER NOT NULL,
    attempts_at_most INTEGER,
    interval         INTEGER,
    basis            TEXT,
    evidence         TEXT,
    consent_until    INTEGER,
    ended            INTEGER,
    outcome          TEXT
);
CREATE INDEX tasks_by_end ON tasks (ended);

CREATE TABLE attempts (
    task     INTEGER NOT NULL,
    ordinal  INTEGER NOT NULL,
    number   TEXT NOT NULL,
    at       INTEGER NOT NULL,
    ended    INTEGER,
    outcome  TEXT,
    category TEXT,
    sure     INTEGER,
    PRIMARY KEY (task, ordinal)
) WITHOUT ROWID;
CREATE INDEX attempts_by_time ON attempts (at);

-- Who is not to be called: by anybody when the account is empty.
CREATE TABLE not_called (
    number  TEXT NOT NULL,
    account TEXT NOT NULL,
    PRIMARY KEY (number, account)
) WITHOUT ROWID;

-- Messages that wait to be carried to people; the key makes each of them one.
CREATE TABLE outbox (
    key     TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    mobile  TEXT,
    at      INTEGER NOT NULL,
    task    INTEGER NOT NULL,
    text    TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX outbox_by_time ON outbox (at);

ALTER TABLE records ADD COLUMN task INTEGER;
CREATE INDEX records_by_task ON records (task) WHERE task IS NOT NULL;
ALTER TABLE open_calls ADD COLUMN task INTEGER;
ALTER TABLE accounts ADD COLUMN background INTEGER NOT NULL DEFAULT 0;
