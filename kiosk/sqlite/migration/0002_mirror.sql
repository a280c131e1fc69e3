-- The mirror: what the library's system told us, to answer when it can't be
-- asked. Times are unix milliseconds, NULL means none or unknown. Items and
-- patrons have a rowid beside their unique key, because a list in random
-- order then appends its long rows and only the short index is in disorder.
CREATE TABLE items (
    barcode     TEXT NOT NULL UNIQUE,
    title       TEXT NOT NULL,
    author      TEXT NOT NULL,
    isbn        TEXT NOT NULL,    -- 13 digits or ''
    call_number TEXT NOT NULL,
    scheme      TEXT NOT NULL,
    location    TEXT NOT NULL,
    library     TEXT NOT NULL,
    type        TEXT NOT NULL,
    status      TEXT NOT NULL,
    reference   INTEGER NOT NULL, -- 1: to be used in the library only
    no_loan     INTEGER NOT NULL, -- 1: does not circulate
    seen        INTEGER           -- unix ms; NULL means at the last import
) STRICT;

CREATE INDEX items_isbn ON items (isbn) WHERE isbn <> '';

CREATE TABLE patrons (
    card       TEXT NOT NULL UNIQUE,
    family     TEXT NOT NULL,
    first      TEXT NOT NULL,
    category   TEXT NOT NULL,
    library    TEXT NOT NULL,
    language   TEXT NOT NULL,
    born       INTEGER,       -- unix ms
    expires    INTEGER,       -- unix ms; NULL means never
    blocked    TEXT NOT NULL, -- '' means not
    block_text TEXT NOT NULL,
    seen       INTEGER        -- unix ms
) STRICT;

-- Who has what, by the library's list and the ledger together. entry is the
-- entry that made or last changed the row; it names no parent, because 0
-- stands for the library's list.
CREATE TABLE loans (
    item   TEXT NOT NULL PRIMARY KEY,
    patron TEXT NOT NULL,
    at     INTEGER,         -- unix ms
    due    INTEGER,         -- unix ms
    entry  INTEGER NOT NULL -- entries.seq, 0 means the library's own list
) STRICT, WITHOUT ROWID;

CREATE INDEX loans_patron ON loans (patron);
