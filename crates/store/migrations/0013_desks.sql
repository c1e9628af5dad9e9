-- Whether the exchange itself works by a session, for an agent at a phone that only calls.
ALTER TABLE list_sessions ADD COLUMN desk INTEGER NOT NULL DEFAULT 0;
