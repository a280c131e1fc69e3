-- The ledger: what happened, in the order in which it was recorded. Rows are
-- added and never changed. An entry's newest state is its last outcome, or
-- the state it was recorded with. Times are unix milliseconds, NULL means
-- none. The had columns are the loan that the mirror knew of the item when the
-- entry was recorded: what comes back if the entry has to be undone.
CREATE TABLE entries (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    session    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    item       TEXT NOT NULL,
    patron     TEXT NOT NULL,    -- '' means unknown
    at         INTEGER NOT NULL, -- unix ms
    doubt      INTEGER NOT NULL, -- 1: the clock was not to be trusted
    due        INTEGER,          -- unix ms
    was_due    INTEGER,          -- unix ms; renew: the due date before
    state      TEXT NOT NULL,
    title      TEXT NOT NULL,
    text       TEXT NOT NULL,
    newest     INTEGER NOT NULL, -- unix ms: the latest at of this and all earlier rows
    had_patron TEXT,             -- NULL means that nobody had the item
    had_at     INTEGER,          -- unix ms
    had_due    INTEGER,          -- unix ms
    had_entry  INTEGER           -- as loans.entry
) STRICT;

-- What became of an item here; also finds what the outbox holds of it.
CREATE INDEX entries_item ON entries (item);

-- Later states. Keyed by entry, so that adding one touches a single page near
-- the right edge and the states of an entry lie together.
CREATE TABLE outcomes (
    entry  INTEGER NOT NULL REFERENCES entries (seq),
    n      INTEGER NOT NULL, -- 1 is the first
    state  TEXT NOT NULL,
    at     INTEGER NOT NULL, -- unix ms
    due    INTEGER,          -- unix ms; NULL leaves the due date as it was
    reason TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (entry, n)
) STRICT, WITHOUT ROWID;

-- The newest time of all is asked for at each start; it must not be a scan.
CREATE INDEX outcomes_at ON outcomes (at);

-- Entries that the ILS has not confirmed. Presence is the state; there is no flag.
CREATE TABLE outbox (
    seq      INTEGER PRIMARY KEY REFERENCES entries (seq),
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER -- unix ms, NULL means at once
) STRICT;

-- What waits for a person. Partial, so that it costs nothing until it is needed.
CREATE INDEX outcomes_exception ON outcomes (entry) WHERE state = 'exception';

-- Entries with their newest state.
CREATE VIEW ledger AS
SELECT e.seq, e.id, e.session, e.kind, e.item, e.patron, e.at, e.doubt,
       coalesce((SELECT o.due FROM outcomes o WHERE o.entry = e.seq AND o.due IS NOT NULL
                 ORDER BY o.n DESC LIMIT 1), e.due) AS due,
       e.was_due, coalesce(l.state, e.state) AS state, e.title,
       coalesce((SELECT o.text FROM outcomes o WHERE o.entry = e.seq AND o.text <> ''
                 ORDER BY o.n DESC LIMIT 1), e.text) AS text,
       coalesce(l.reason, '') AS reason,
       coalesce(l.n, 0) AS n, coalesce(l.at, e.at) AS changed
FROM entries e
LEFT JOIN outcomes l ON l.entry = e.seq
    AND l.n = (SELECT max(m.n) FROM outcomes m WHERE m.entry = e.seq);
