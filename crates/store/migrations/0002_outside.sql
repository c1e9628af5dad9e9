-- What is set for an account; forwarding is a number in each case, rights are words with commas between them.
ALTER TABLE accounts ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE accounts ADD COLUMN zone TEXT;
ALTER TABLE accounts ADD COLUMN mobile TEXT;
ALTER TABLE accounts ADD COLUMN pin TEXT;
ALTER TABLE accounts ADD COLUMN do_not_disturb INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN forward_always TEXT;
ALTER TABLE accounts ADD COLUMN forward_busy TEXT;
ALTER TABLE accounts ADD COLUMN forward_no_answer TEXT;
ALTER TABLE accounts ADD COLUMN forward_offline TEXT;
ALTER TABLE accounts ADD COLUMN rights TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN calls_a_day INTEGER;

ALTER TABLE devices ADD COLUMN location TEXT NOT NULL DEFAULT '';
ALTER TABLE devices ADD COLUMN call_back TEXT;
ALTER TABLE devices ADD COLUMN auto_answer TEXT;

-- An address or a host name in `address`; lists have a space between their items; the password is sealed.
ALTER TABLE trunks ADD COLUMN transport TEXT NOT NULL DEFAULT 'udp';
ALTER TABLE trunks ADD COLUMN login TEXT;
ALTER TABLE trunks ADD COLUMN password BLOB;
ALTER TABLE trunks ADD COLUMN realm TEXT;
ALTER TABLE trunks ADD COLUMN registers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN channels INTEGER;
ALTER TABLE trunks ADD COLUMN sources TEXT NOT NULL DEFAULT '';
ALTER TABLE trunks ADD COLUMN strip INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trunks ADD COLUMN prepend TEXT NOT NULL DEFAULT '';

CREATE TABLE routes (
    name    TEXT PRIMARY KEY,
    prefix  TEXT NOT NULL,
    strip   INTEGER NOT NULL,
    prepend TEXT NOT NULL,
    trunks  TEXT NOT NULL,
    caller  TEXT
);

CREATE TABLE hunt_groups (
    name     TEXT PRIMARY KEY,
    display  TEXT NOT NULL,
    number   TEXT NOT NULL UNIQUE,
    strategy TEXT NOT NULL,
    members  TEXT NOT NULL,
    ring_ms  INTEGER NOT NULL,
    overflow TEXT
);

-- What was decided by itself, and by which rule; kept for 30 days.
CREATE TABLE facts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    time    INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL,
    rule    TEXT NOT NULL,
    words   TEXT NOT NULL
);
CREATE INDEX facts_by_subject ON facts (kind, subject);
CREATE INDEX facts_by_time ON facts (time);
