-- What is written in Chinese characters is found by how it sounds as well: those
-- items are read anew, while the desk is quiet.
INSERT OR IGNORE INTO find_stale
SELECT rowid FROM items WHERE rowid <= (SELECT item FROM find_upto) AND (title GLOB '*[一-鿿]*' OR author GLOB '*[一-鿿]*');
