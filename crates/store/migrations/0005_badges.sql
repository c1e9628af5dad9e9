-- What badges are known by: the hash of a record's text, a UID, or a chip's UID and the issue that its keys follow from.
CREATE TABLE badges (
    name    TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    label   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    mark    TEXT NOT NULL,
    issue   TEXT,
    made    INTEGER NOT NULL,
    revoked INTEGER
);

-- What the keys of secure badges follow from; one row, sealed.
CREATE TABLE badge_keys (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    sealed BLOB NOT NULL
);

-- Of each issue of a secure badge: no counter up to `heard` is good any more, and none above `bound` was heard.
CREATE TABLE tap_counters (
    issue   TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    heard   INTEGER NOT NULL,
    bound   INTEGER NOT NULL
) WITHOUT ROWID;

-- Of a reader's key, the hash alone.
CREATE TABLE readers (
    name   TEXT PRIMARY KEY,
    device TEXT NOT NULL,
    key    TEXT NOT NULL
);

-- Kept for 30 days, or until their owner deletes them.
CREATE TABLE taps (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    time    INTEGER NOT NULL,
    account TEXT NOT NULL,
    badge   TEXT NOT NULL,
    kind    TEXT NOT NULL,
    reader  TEXT NOT NULL,
    device  TEXT NOT NULL,
    rule    TEXT NOT NULL,
    words   TEXT NOT NULL
);
CREATE INDEX taps_by_account ON taps (account, id);
CREATE INDEX taps_by_time ON taps (time);
