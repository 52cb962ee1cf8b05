ALTER TABLE dictionaries ADD COLUMN is_archived boolean NOT NULL DEFAULT false;
ALTER TABLE dictionaries ADD COLUMN metadata jsonb NOT NULL DEFAULT '{}';
UPDATE dictionaries SET is_archived = true WHERE created_by IS NULL;
