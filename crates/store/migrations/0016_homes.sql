-- What one of several exchanges does alone for the others, as registering at a trunk (R25): whose it is, and who has it next.
CREATE TABLE homes (
    subject TEXT PRIMARY KEY,
    owner   TEXT NOT NULL,
    epoch   INTEGER NOT NULL,
    next    TEXT NOT NULL
) WITHOUT ROWID;

-- Whether an exchange can be given any: one that starts or stops cannot.
ALTER TABLE writers ADD COLUMN takes INTEGER NOT NULL DEFAULT 0;
