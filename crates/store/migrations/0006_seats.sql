-- Who sits at a phone that is not their own, since when, and when that ends by itself.
CREATE TABLE seats (
    device  TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    since   INTEGER NOT NULL,
    until   INTEGER
);
