-- How fresh the library's lists are in the mirror. Patrons of whom the newest
-- whole list or a later word told are as well known as of since, because
-- nothing of them has changed: one number here spares a write for each.
CREATE TABLE lists (
    list  TEXT NOT NULL PRIMARY KEY, -- items, patrons, loans
    whole INTEGER,                   -- unix ms: begin of the newest list of all rows that was read to its end; NULL means never
    since INTEGER                    -- unix ms: what changed until then is known; NULL means nothing is
) STRICT, WITHOUT ROWID;
