-- What the application keeps in SQLite, made where the rows are.
CREATE TABLE staged_dictionaries AS
SELECT id::text AS id, name, description, source_file_name, source_file_size, array_to_json(tags)::text AS tags,
       metadata::text AS metadata, is_archived::integer AS is_archived, created_by,
       (created_at AT TIME ZONE 'UTC')::text || '+00:00' AS created_at,
       (updated_at AT TIME ZONE 'UTC')::text || '+00:00' AS updated_at
FROM dictionaries;

CREATE TABLE staged_versions AS
SELECT id::text AS id, dictionary_id::text AS dictionary_id, version_number, schema_hash, notes,
       processing_stats::text AS processing_stats, created_by,
       (created_at AT TIME ZONE 'UTC')::text || '+00:00' AS created_at
FROM versions;

CREATE TABLE staged_fields AS
SELECT id::text AS id, version_id::text AS version_id, field_path, field_name, parent_path, nesting_level, position,
       data_type, semantic_type, is_nullable::integer AS is_nullable, is_array::integer AS is_array,
       is_pii::integer AS is_pii, array_to_json(sample_values)::text AS sample_values, enum_values::text AS enum_values,
       null_percentage::text AS null_percentage, distinct_count, mean_value, first_seen::text AS first_seen,
       (created_at AT TIME ZONE 'UTC')::text || '+00:00' AS created_at
FROM fields;

CREATE TABLE staged_annotations AS
SELECT id::text AS id, field_id::text AS field_id, description, business_name, owner, array_to_json(tags)::text AS tags,
       business_rules::text AS business_rules, is_ai_generated::integer AS is_ai_generated, confidence,
       (created_at AT TIME ZONE 'UTC')::text || '+00:00' AS created_at,
       (updated_at AT TIME ZONE 'UTC')::text || '+00:00' AS updated_at
FROM annotations;
