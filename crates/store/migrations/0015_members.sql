-- Several exchanges over one database (R24): where each is reached. Number 0 has the office alone.
ALTER TABLE writers ADD COLUMN number INTEGER NOT NULL DEFAULT 0;
ALTER TABLE writers ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE writers ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE writers ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
ALTER TABLE writers ADD COLUMN doors TEXT NOT NULL DEFAULT '';

-- Whose call it is.
ALTER TABLE open_calls ADD COLUMN owner TEXT NOT NULL DEFAULT '';

-- At whose door a device is registered.
CREATE TABLE bindings_at_doors (
    device     TEXT NOT NULL,
    owner      TEXT NOT NULL DEFAULT '',
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
    PRIMARY KEY (device, owner, place)
) WITHOUT ROWID;
INSERT INTO bindings_at_doors (device, place, contact, instance, reg_id, q, path, transport, local, remote, behind_nat, expires,
    call_id, sequence)
    SELECT device, place, contact, instance, reg_id, q, path, transport, local, remote, behind_nat, expires, call_id, sequence
    FROM bindings;
DROP TABLE bindings;
ALTER TABLE bindings_at_doors RENAME TO bindings;

-- What changed, for the others; what it is now stands in its own table.
CREATE TABLE feed (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    owner    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    name     TEXT NOT NULL,
    at       INTEGER NOT NULL
);
