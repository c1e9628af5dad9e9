-- Call lists (S3): the rows of each as they were judged when it was made, whose each row is, and what became of it.
CREATE TABLE lists (
    key      INTEGER PRIMARY KEY,
    name     TEXT NOT NULL,
    by       TEXT NOT NULL,
    at       INTEGER NOT NULL,
    -- JSON Lines, in the order of the calls.
    rows     BLOB NOT NULL,
    skipped  INTEGER NOT NULL,
    -- A line of the file, a tab and why it is skipped, each on a line of its own.
    refusals TEXT NOT NULL,
    -- A name on each line.
    agents   TEXT NOT NULL DEFAULT '',
    -- For each row two octets, the lower first: 0, or the place of its agent from 1.
    owners   BLOB NOT NULL DEFAULT x''
);

CREATE TABLE list_rows (
    list       INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    ended      INTEGER,
    outcome    TEXT,
    run        INTEGER NOT NULL,
    result     TEXT NOT NULL,
    note       TEXT NOT NULL,
    not_before INTEGER,
    PRIMARY KEY (list, row)
) WITHOUT ROWID;

-- An attempt is named by its number and when it began; `run` is that of the phone whose journal has it.
CREATE TABLE list_attempts (
    list    INTEGER NOT NULL,
    row     INTEGER NOT NULL,
    run     INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    agent   INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    ended   INTEGER,
    outcome TEXT,
    talked  INTEGER NOT NULL,
    PRIMARY KEY (list, row, ordinal, at)
) WITHOUT ROWID;

-- Links of agents. `token` is a hash.
CREATE TABLE list_sessions (
    id       INTEGER PRIMARY KEY,
    agent    TEXT NOT NULL,
    device   TEXT NOT NULL,
    token    TEXT NOT NULL,
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL,
    over     INTEGER,
    run      INTEGER NOT NULL,
    left     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    content  INTEGER NOT NULL,
    -- For each row of its file the list and the row, four octets each, the lower first.
    served   BLOB NOT NULL,
    -- A number and a version on each line.
    dropping TEXT NOT NULL
);

CREATE TABLE list_runs (
    run     INTEGER PRIMARY KEY,
    session INTEGER NOT NULL,
    name    TEXT NOT NULL
);
