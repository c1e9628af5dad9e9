-- Calls that go on. What stands here when the exchange starts died with the one before it.
CREATE TABLE open_calls (
    session_id    TEXT NOT NULL,
    dialled       TEXT NOT NULL,
    caller_number TEXT NOT NULL,
    caller_name   TEXT NOT NULL,
    answered_by   TEXT NOT NULL,
    started       INTEGER NOT NULL,
    answered      INTEGER,
    PRIMARY KEY (session_id, dialled)
) WITHOUT ROWID;
