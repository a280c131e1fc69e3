-- What staff has set: the board with its message and hours. Rows are added; the
-- newest of a name counts, and the one before it is what undoing leads back to.
CREATE TABLE settings (
    n     INTEGER PRIMARY KEY,
    name  TEXT NOT NULL,   -- board
    value BLOB NOT NULL,   -- JSON
    at    INTEGER NOT NULL -- unix ms
) STRICT;

CREATE INDEX settings_name ON settings (name);
