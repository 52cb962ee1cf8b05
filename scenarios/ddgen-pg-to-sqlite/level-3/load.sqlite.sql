-- In place of what is there; parents before children.
DELETE FROM annotations;
DELETE FROM fields;
DELETE FROM versions;
DELETE FROM dictionaries;

INSERT INTO dictionaries (id, name, description, source_file_name, source_file_size, tags, metadata, is_archived,
                          created_by, created_at, updated_at)
SELECT id, name, description, source_file_name, source_file_size, tags, metadata, is_archived, created_by, created_at,
       updated_at
FROM staged_dictionaries;

INSERT INTO versions (id, dictionary_id, version_number, schema_hash, notes, processing_stats, created_by, created_at)
SELECT id, dictionary_id, version_number, schema_hash, notes, processing_stats, created_by, created_at
FROM staged_versions;

INSERT INTO fields (id, version_id, field_path, field_name, parent_path, nesting_level, position, data_type,
                    semantic_type, is_nullable, is_array, is_pii, sample_values, enum_values, null_percentage,
                    distinct_count, mean_value, first_seen, created_at)
SELECT id, version_id, field_path, field_name, parent_path, nesting_level, position, data_type, semantic_type,
       is_nullable, is_array, is_pii, sample_values, enum_values, null_percentage, distinct_count, mean_value, first_seen,
       created_at
FROM staged_fields;

INSERT INTO annotations (id, field_id, description, business_name, owner, tags, business_rules, is_ai_generated,
                         confidence, created_at, updated_at)
SELECT id, field_id, description, business_name, owner, tags, business_rules, is_ai_generated, confidence, created_at,
       updated_at
FROM staged_annotations;

DROP TABLE staged_annotations;
DROP TABLE staged_fields;
DROP TABLE staged_versions;
DROP TABLE staged_dictionaries;
