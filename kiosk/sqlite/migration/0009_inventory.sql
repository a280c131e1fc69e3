-- Shelf inventories. Like the ledger, an inventory is a log to which lines are
-- added: a scan that was acknowledged is a line on disk, and what is known is
-- the fold of all lines that no later one has undone. Times are unix ms.
CREATE TABLE inventories (
    n        INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE,
    name     TEXT NOT NULL,
    library  TEXT NOT NULL,    -- '' sets no bound, here and in the next four
    location TEXT NOT NULL,
    scheme   TEXT NOT NULL,    -- class scheme of the two call numbers
    from_    TEXT NOT NULL,
    to_      TEXT NOT NULL,
    begun    INTEGER NOT NULL, -- unix ms
    report   BLOB              -- NULL until it ends; what it found, gzip of JSON
) STRICT;

CREATE TABLE inventory_lines (
    inventory INTEGER NOT NULL REFERENCES inventories (n),
    n         INTEGER NOT NULL, -- from 1, without holes
    kind      TEXT NOT NULL,
    who       TEXT NOT NULL,
    at        INTEGER NOT NULL, -- unix ms
    item      TEXT NOT NULL,
    tag       TEXT NOT NULL,
    tagged    INTEGER NOT NULL, -- 1: item was read from the tag
    part      INTEGER NOT NULL, -- of a set; 0: not told
    text      TEXT NOT NULL,
    of_       INTEGER NOT NULL, -- the line that this one is about, 0: none
    found     TEXT NOT NULL,    -- comma separated
    loose     INTEGER NOT NULL, -- places
    PRIMARY KEY (inventory, n)
) STRICT, WITHOUT ROWID;

-- What was undone, and how far each has come, without reading the scans.
CREATE INDEX inventory_undone ON inventory_lines (inventory, of_) WHERE kind = 'undo';
CREATE INDEX inventory_stages ON inventory_lines (inventory, n) WHERE kind IN ('pause', 'resume', 'search', 'end');

-- Items that were out while an inventory ran: they may come back before it
-- ends, and were not missing for that.
CREATE TABLE inventory_out (
    inventory INTEGER NOT NULL REFERENCES inventories (n),
    item      TEXT NOT NULL,
    PRIMARY KEY (inventory, item)
) STRICT, WITHOUT ROWID;

-- What is to be taken along when it is met, and why. A reason's list is
-- replaced as a whole.
CREATE TABLE wanted (
    item TEXT NOT NULL,
    why  TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (item, why)
) STRICT, WITHOUT ROWID;
