-- Entries that were dated by a clock nobody was sure of, until they are put
-- right or can't be any more. Presence is the state. boot names a run of the
-- machine; when it began is not known yet.
CREATE TABLE undated (
    seq  INTEGER PRIMARY KEY REFERENCES entries (seq),
    boot TEXT NOT NULL,
    up   INTEGER NOT NULL -- ms from the machine's start to the entry
) STRICT;

-- An entry is put right by an outcome of the state that it is in.
ALTER TABLE outcomes ADD COLUMN dated INTEGER; -- unix ms: when the entry was made in truth; NULL: this does not say

-- What was made in doubt. Partial, so that it costs nothing until it is needed.
CREATE INDEX entries_doubt ON entries (id) WHERE doubt = 1;

DROP VIEW ledger;

-- Entries with their newest state and their true time, as far as it is known.
CREATE VIEW ledger AS
SELECT v.*, coalesce((SELECT o.at FROM outcomes o WHERE o.entry = v.seq AND o.dated IS NULL
                      ORDER BY o.n DESC LIMIT 1), v.at) AS changed
FROM (SELECT e.seq, e.id, e.session, e.kind, e.item, e.patron, coalesce(d.dated, e.at) AS at,
       e.doubt AND d.dated IS NULL AS doubt, coalesce(u.boot, '') AS boot, coalesce(u.up, 0) AS up,
       coalesce((SELECT o.due FROM outcomes o WHERE o.entry = e.seq AND o.due IS NOT NULL
                 ORDER BY o.n DESC LIMIT 1), e.due) AS due,
       e.was_due, coalesce(l.state, e.state) AS state, e.title,
       coalesce((SELECT o.text FROM outcomes o WHERE o.entry = e.seq AND o.text <> ''
                 ORDER BY o.n DESC LIMIT 1), e.text) AS text,
       coalesce(l.reason, '') AS reason, coalesce(l.n, 0) AS n
FROM entries e
LEFT JOIN undated u ON u.seq = e.seq
LEFT JOIN outcomes d ON d.entry = e.seq AND d.dated IS NOT NULL
LEFT JOIN outcomes l ON l.entry = e.seq
    AND l.n = (SELECT max(m.n) FROM outcomes m WHERE m.entry = e.seq)) v;
