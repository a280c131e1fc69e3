-- How the screen speaks to a patron, where the library lets it be remembered:
-- large print, high contrast, calm, pictures. Chosen by the patron; a card
-- without a row has the library's own.
CREATE TABLE modes (
    card TEXT NOT NULL PRIMARY KEY,
    mode TEXT NOT NULL -- its words with dots between: calm.large
) STRICT, WITHOUT ROWID;
