ALTER TABLE dictionaries DROP COLUMN metadata;
ALTER TABLE dictionaries DROP COLUMN is_archived;
