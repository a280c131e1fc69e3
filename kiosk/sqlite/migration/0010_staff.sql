-- Who of the staff may sign in at the kiosk, and what staff has done. A PIN or
-- password is here only as a slow hash.
CREATE TABLE staff (
    badge TEXT NOT NULL PRIMARY KEY,
    name  TEXT NOT NULL,
    role  TEXT NOT NULL,   -- helper, staff, manager
    hash  TEXT NOT NULL,   -- a line as $argon2id$...
    since INTEGER NOT NULL -- unix ms: made or last changed
) STRICT, WITHOUT ROWID;

-- The audit log. It names people as they were then: who has gone stays in it.
CREATE TABLE acts (
    n     INTEGER PRIMARY KEY,
    at    INTEGER NOT NULL, -- unix ms
    badge TEXT NOT NULL,    -- '' means the shared password, or the machine's shell
    name  TEXT NOT NULL,
    what  TEXT NOT NULL,
    about TEXT NOT NULL,
    note  TEXT NOT NULL,
    place TEXT NOT NULL     -- a network address, or kioskctl
) STRICT;

-- It only grows, whoever asks.
CREATE TRIGGER acts_stay BEFORE UPDATE ON acts BEGIN SELECT raise(ABORT, 'the audit log only grows'); END;
CREATE TRIGGER acts_last BEFORE DELETE ON acts BEGIN SELECT raise(ABORT, 'the audit log only grows'); END;
