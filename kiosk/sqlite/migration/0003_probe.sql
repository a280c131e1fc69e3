-- Empty but for the moment in which Probe finds out whether there is room for
-- a loan: a row that takes as many pages as one is put in and taken out again.
CREATE TABLE probe (
    room BLOB NOT NULL
) STRICT;
