DROP INDEX fields_pii_idx;
ALTER TABLE fields DROP COLUMN is_pii;
ALTER TABLE fields DROP COLUMN distinct_count;
ALTER TABLE fields DROP COLUMN null_percentage;
