-- Each row of the ledger carries a sum of itself, made by row_sum of package
-- sqlite over all that stands before it. A disk that changes a digit of a card
-- is so found out, and a row that is read from a damaged file is known to be
-- as it was written. NULL, in a copy from before, means that it has none.
ALTER TABLE entries ADD COLUMN sum INTEGER;
ALTER TABLE outcomes ADD COLUMN sum INTEGER;

UPDATE entries SET sum = row_sum(seq, id, session, kind, item, patron, at, doubt, due, was_due, state, title, text,
    newest, had_patron, had_at, had_due, had_entry);
UPDATE outcomes SET sum = row_sum(entry, n, state, at, due, reason, text, dated);
