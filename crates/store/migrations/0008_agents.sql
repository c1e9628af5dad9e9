-- Who is signed in to work, with what a restart needs: a break, or a wrap-up that goes on to its own end.
-- Lists have a space between their items.
CREATE TABLE agents (
    account       TEXT PRIMARY KEY,
    device        TEXT,
    queues        TEXT NOT NULL,
    interval_ms   INTEGER,
    since         INTEGER NOT NULL,
    pause_reason  TEXT,
    pause_rule    TEXT,
    pause_since   INTEGER,
    pause_planned INTEGER,
    wrap_up_ms    INTEGER,
    wrap_up_by    TEXT,
    wrap_up_queue TEXT,
    wrap_up_ends  INTEGER,
    extensions    INTEGER NOT NULL DEFAULT 0
);

-- Members are written `account priority`, hours and holidays as people write them; one a line.
CREATE TABLE queues (
    name          TEXT PRIMARY KEY,
    display       TEXT NOT NULL,
    number        TEXT NOT NULL UNIQUE,
    strategy      TEXT NOT NULL,
    members       TEXT NOT NULL,
    wrap_up_ms    INTEGER NOT NULL,
    ring_ms       INTEGER NOT NULL,
    longest_ms    INTEGER,
    most_waiting  INTEGER NOT NULL,
    overflow      TEXT,
    hours         TEXT NOT NULL,
    holidays      TEXT NOT NULL,
    answer_ms     INTEGER,
    announce_ms   INTEGER NOT NULL,
    level_ms      INTEGER NOT NULL,
    preferred     TEXT NOT NULL
);
