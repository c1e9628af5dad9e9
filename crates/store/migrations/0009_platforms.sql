-- At which telephone platform somebody works, and the wrap-up that is their own.
ALTER TABLE accounts ADD COLUMN platform TEXT;
ALTER TABLE accounts ADD COLUMN wrap_up_ms INTEGER;
