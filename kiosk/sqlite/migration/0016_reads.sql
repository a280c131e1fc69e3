-- What a phone has scanned without a network it hands over later, and again if
-- the answer was lost: each carries an ID, and the same ID is one line.
ALTER TABLE inventory_lines ADD COLUMN read TEXT NOT NULL DEFAULT ''; -- '': it was not handed over

CREATE UNIQUE INDEX inventory_reads ON inventory_lines (inventory, read) WHERE read <> '';
