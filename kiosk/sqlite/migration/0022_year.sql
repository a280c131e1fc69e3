-- The year in which a book was published, for the library's rule of what may
-- go; 0 means that nobody told.
ALTER TABLE items ADD COLUMN year INTEGER NOT NULL DEFAULT 0;
