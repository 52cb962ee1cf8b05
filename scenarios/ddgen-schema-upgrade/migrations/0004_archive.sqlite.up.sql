ALTER TABLE dictionaries ADD COLUMN is_archived BOOLEAN NOT NULL DEFAULT 0;
ALTER TABLE dictionaries ADD COLUMN metadata JSON TEXT NOT NULL DEFAULT '{}';
UPDATE dictionaries SET is_archived = 1 WHERE created_by IS NULL;
