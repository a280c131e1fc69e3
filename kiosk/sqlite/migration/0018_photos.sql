-- Photos of books whose condition was noted in an inventory: small JPEGs that
-- were made here, without what a phone writes into its own.
CREATE TABLE inventory_photos (
    inventory INTEGER NOT NULL REFERENCES inventories (n),
    id        TEXT NOT NULL,    -- of who took it: handed over twice it is one
    item      TEXT NOT NULL,
    who       TEXT NOT NULL,
    at        INTEGER NOT NULL, -- unix ms
    jpeg      BLOB NOT NULL,
    PRIMARY KEY (inventory, id)
) STRICT;
