-- The way back of the import then brings back what was there before it.
DELETE FROM dictionaries;
