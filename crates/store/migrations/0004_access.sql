-- What a person may do at the pages and the API, and the hash of the password (argon2id, PHC form).
ALTER TABLE accounts ADD COLUMN role TEXT NOT NULL DEFAULT 'agent';
ALTER TABLE accounts ADD COLUMN password TEXT;

-- What the ways in keep: sessions, tokens, one-time links, answers that may be asked for again. Values are sealed.
CREATE TABLE documents (
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID;
