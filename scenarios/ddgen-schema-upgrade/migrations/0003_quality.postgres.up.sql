ALTER TABLE fields ADD COLUMN null_percentage numeric(5,2) CHECK (null_percentage BETWEEN 0 AND 100);
ALTER TABLE fields ADD COLUMN distinct_count bigint;
ALTER TABLE fields ADD COLUMN is_pii boolean NOT NULL DEFAULT false;
UPDATE fields SET is_pii = true WHERE data_type = 'string' AND NOT is_nullable;
CREATE INDEX fields_pii_idx ON fields (version_id) WHERE is_pii;
