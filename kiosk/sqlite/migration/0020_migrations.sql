-- The number of each migration that the ledger has had, from this one on, beside
-- the one in the file's head: a bit that turned over there is not to pass for a
-- newer version's ledger, which is refused, where this one is to be rescued.
CREATE TABLE migrations (version INTEGER PRIMARY KEY) STRICT;
