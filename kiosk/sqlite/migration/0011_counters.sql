-- How often something happened at the desk that the ledger does not keep:
-- refusals, visits and how long they took. Numbers only.
CREATE TABLE counters (
    day  TEXT NOT NULL,    -- as 2026-11-30, in the library's zone
    hour INTEGER NOT NULL, -- 0 to 23
    what TEXT NOT NULL,    -- refused:on-hold, visit, time:30
    n    INTEGER NOT NULL,
    PRIMARY KEY (day, hour, what)
) STRICT, WITHOUT ROWID;
