-- Who may write to each shard, and until when unless renewed, by the clock of the database (R19); in SQLite nobody but us.
ALTER TABLE shards ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE shards ADD COLUMN until INTEGER NOT NULL DEFAULT 0;

-- By what each owner knows which of its transactions was the last.
CREATE TABLE writers (
    owner TEXT PRIMARY KEY,
    mark  INTEGER NOT NULL
);
