-- Finding titles. find_items has the folded words of each item, by the item's
-- rowid, and nothing else: what is found is read from items. It is filled behind
-- the mirror's back while the desk is quiet, so that an import costs no more
-- than before: find_upto is the last rowid that was read, find_stale has those
-- before it that have changed since. The tokenizer is told words by blanks
-- alone; what a word is, package search says.
CREATE VIRTUAL TABLE find_items USING fts5(
    title, author, call, content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '2 3'
);

CREATE TABLE find_upto (item INTEGER NOT NULL) STRICT;
INSERT INTO find_upto VALUES (0);

CREATE TABLE find_stale (item INTEGER PRIMARY KEY) STRICT;

-- What is to be done about a conflict, the statement says that fires a trigger:
-- the trigger avoids it.
CREATE TRIGGER items_find AFTER UPDATE OF title, author, call_number ON items
WHEN old.title <> new.title OR old.author <> new.author OR old.call_number <> new.call_number
BEGIN
    INSERT INTO find_stale SELECT old.rowid WHERE NOT EXISTS (SELECT 1 FROM find_stale WHERE item = old.rowid);
END;

-- The words there are, and their groups of three letters, "_word_": what is
-- spelled otherwise is near to some of them.
CREATE TABLE find_words (
    id   INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;

CREATE VIRTUAL TABLE find_grams USING fts5(
    word, content = '', tokenize = 'trigram case_sensitive 1', detail = none
);
