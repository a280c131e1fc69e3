-- RFID tags. What an entry was about, so that its tags can be released or
-- secured whenever its state says so. A tag is 16 digits.
CREATE TABLE entry_tags (
    entry INTEGER NOT NULL REFERENCES entries (seq),
    tag   TEXT NOT NULL,
    PRIMARY KEY (entry, tag)
) STRICT, WITHOUT ROWID;

-- The work list: tags whose security is not yet known to be what an entry
-- wants. Presence is the state; the newest entry that wants something of a tag
-- has the row.
CREATE TABLE work (
    tag   TEXT NOT NULL PRIMARY KEY,
    entry INTEGER NOT NULL REFERENCES entries (seq),
    want  TEXT NOT NULL,   -- released, secured
    since INTEGER NOT NULL -- unix ms
) STRICT, WITHOUT ROWID;

-- What was done: written and read back, or cleared by staff with a note.
CREATE TABLE work_done (
    n     INTEGER PRIMARY KEY,
    tag   TEXT NOT NULL,
    entry INTEGER NOT NULL REFERENCES entries (seq),
    want  TEXT NOT NULL,
    at    INTEGER NOT NULL, -- unix ms
    note  TEXT NOT NULL     -- '' means written and read back
) STRICT;

CREATE INDEX work_entry ON work (entry);
