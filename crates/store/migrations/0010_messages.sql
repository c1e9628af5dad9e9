-- What became of each message of the outbox, and when it is tried again; times in milliseconds since 1970 UTC.
ALTER TABLE outbox ADD COLUMN state TEXT NOT NULL DEFAULT 'waiting';
ALTER TABLE outbox ADD COLUMN carrier TEXT;
ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN next INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN answer TEXT NOT NULL DEFAULT '';

CREATE INDEX outbox_by_turn ON outbox (next, at) WHERE state = 'waiting';
CREATE INDEX outbox_by_task ON outbox (task);

-- By what names a carrier knows a message, one a part, until it tells what became of it.
CREATE TABLE outbox_parts (
    carrier   TEXT NOT NULL,
    reference TEXT NOT NULL,
    key       TEXT NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (carrier, reference)
) WITHOUT ROWID;

CREATE INDEX outbox_parts_by_key ON outbox_parts (key);

-- What is forgotten takes its names along.
CREATE TRIGGER outbox_forgets AFTER DELETE ON outbox BEGIN
    DELETE FROM outbox_parts WHERE key = OLD.key;
END;

-- Receipts that came before the name that they speak of was written: the carrier may be faster than we are.
CREATE TABLE outbox_early (
    carrier   TEXT NOT NULL,
    reference TEXT NOT NULL,
    delivered INTEGER NOT NULL,
    answer    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (carrier, reference)
) WITHOUT ROWID;
