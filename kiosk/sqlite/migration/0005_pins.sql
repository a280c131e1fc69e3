-- PINs that the ILS has accepted, as slow hashes made here: while it is away a
-- PIN is checked against them.
CREATE TABLE pins (
    card  TEXT NOT NULL PRIMARY KEY,
    salt  BLOB NOT NULL,
    hash  BLOB NOT NULL,   -- PBKDF2-HMAC-SHA-512
    turns INTEGER NOT NULL -- its iterations
) STRICT, WITHOUT ROWID;
