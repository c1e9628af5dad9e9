-- Who may write to each shard (R19); in SQLite nobody but us.
ALTER TABLE shards ADD COLUMN owner TEXT NOT NULL DEFAULT '';

-- How long each owner has its shards unless it renews that, by the clock of the database, and by what it knows which of its
-- transactions was the last.
CREATE TABLE writers (
    owner TEXT PRIMARY KEY,
    mark  INTEGER NOT NULL,
    until INTEGER NOT NULL
);
