ALTER TABLE fields ADD COLUMN null_percentage DECIMAL(5,2) CHECK (null_percentage BETWEEN 0 AND 100);
ALTER TABLE fields ADD COLUMN distinct_count BIGINT;
ALTER TABLE fields ADD COLUMN is_pii BOOLEAN NOT NULL DEFAULT 0;
UPDATE fields SET is_pii = 1 WHERE data_type = 'string' AND NOT is_nullable;
CREATE INDEX fields_pii_idx ON fields (version_id) WHERE is_pii;
