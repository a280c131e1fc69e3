-- Which entries a tag was in: what an item's tags are is told by the newest of
-- its entries that had some, unless another item has one of them since.
CREATE INDEX entry_tags_tag ON entry_tags (tag);
