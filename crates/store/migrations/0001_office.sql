-- Who owns which part of the office (R19). SQLite has one owner, at epoch 1; a later epoch fences the earlier.
CREATE TABLE shards (
    shard   INTEGER PRIMARY KEY,
    epoch   INTEGER NOT NULL
);

CREATE TABLE settings (
    name    TEXT PRIMARY KEY,
    value   TEXT NOT NULL
);

CREATE TABLE accounts (
    name    TEXT PRIMARY KEY,
    display TEXT NOT NULL
);

-- The primary keys of numbers and devices keep the order in which they were given to their account.
CREATE TABLE numbers (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    number   TEXT NOT NULL UNIQUE,
    account  TEXT NOT NULL
);

-- HA1 for both algorithms (RFC 7616); the password is never kept.
CREATE TABLE devices (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE,
    account  TEXT NOT NULL,
    md5      TEXT NOT NULL,
    sha256   TEXT NOT NULL
);

CREATE TABLE trunks (
    name    TEXT PRIMARY KEY,
    address TEXT NOT NULL,
    port    INTEGER
);

-- Times are milliseconds since 1970 UTC, here and below.
CREATE TABLE bindings (
    device     TEXT NOT NULL,
    place      INTEGER NOT NULL,
    contact    TEXT NOT NULL,
    instance   TEXT,
    reg_id     INTEGER NOT NULL,
    q          INTEGER NOT NULL,
    path       TEXT NOT NULL,
    transport  TEXT NOT NULL,
    local      TEXT NOT NULL,
    remote     TEXT NOT NULL,
    behind_nat INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    call_id    TEXT NOT NULL,
    sequence   INTEGER NOT NULL,
    PRIMARY KEY (device, place)
) WITHOUT ROWID;

CREATE TABLE records (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id    TEXT NOT NULL,
    caller_number TEXT NOT NULL,
    caller_name   TEXT NOT NULL,
    dialled       TEXT NOT NULL,
    answered_by   TEXT NOT NULL,
    started       INTEGER NOT NULL,
    answered      INTEGER,
    ended         INTEGER NOT NULL,
    ringing_ms    INTEGER NOT NULL,
    talking_ms    INTEGER NOT NULL,
    cause         TEXT NOT NULL,
    blame         TEXT NOT NULL,
    status        INTEGER NOT NULL,
    detail        TEXT NOT NULL
);
CREATE INDEX records_by_end ON records (ended);
