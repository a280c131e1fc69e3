-- What books are about: headings, '; ' between two, '' where nobody told. They are
-- found like titles, so all items are read anew, while the desk is quiet; the
-- words that are known stay.
ALTER TABLE items ADD COLUMN subjects TEXT NOT NULL DEFAULT '';

DROP TABLE find_items;
CREATE VIRTUAL TABLE find_items USING fts5(
    title, author, call, subjects, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3'
);
DELETE FROM find_stale;
UPDATE find_upto SET item = 0;

DROP TRIGGER items_find;
CREATE TRIGGER items_find AFTER UPDATE OF title, author, call_number, subjects ON items
WHEN old.title <> new.title OR old.author <> new.author OR old.call_number <> new.call_number OR old.subjects <> new.subjects
BEGIN
    INSERT INTO find_stale SELECT old.rowid WHERE NOT EXISTS (SELECT 1 FROM find_stale WHERE item = old.rowid);
END;
