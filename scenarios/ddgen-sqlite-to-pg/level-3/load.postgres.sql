-- In place of what is there; parents before children. Lists become arrays, in their order.
TRUNCATE dictionaries, versions, fields, annotations;

INSERT INTO dictionaries (
    id, name, description, source_file_name, source_file_size, tags, metadata, is_archived, created_by, created_at,
    updated_at
)
SELECT
    id::uuid, name, description, source_file_name, source_file_size::bigint,
    CASE WHEN tags IS NOT NULL THEN
        ARRAY(SELECT one FROM jsonb_array_elements_text(tags::jsonb) WITH ORDINALITY AS list (one, at) ORDER BY at) END,
    metadata::jsonb, is_archived::integer::boolean, created_by, created_at::timestamptz, updated_at::timestamptz
FROM staged_dictionaries;

INSERT INTO versions (
    id, dictionary_id, version_number, schema_hash, notes, processing_stats, created_by, created_at
)
SELECT
    id::uuid, dictionary_id::uuid, version_number::integer, schema_hash, notes, processing_stats::jsonb, created_by,
    created_at::timestamptz
FROM staged_versions;

INSERT INTO fields (
    id, version_id, field_path, field_name, parent_path, nesting_level, position, data_type, semantic_type,
    is_nullable, is_array, is_pii, sample_values, enum_values, null_percentage, distinct_count, mean_value, first_seen,
    created_at
)
SELECT
    id::uuid, version_id::uuid, field_path, field_name, parent_path, nesting_level::integer, position::integer,
    data_type, semantic_type, is_nullable::integer::boolean, is_array::integer::boolean, is_pii::integer::boolean,
    CASE WHEN sample_values IS NOT NULL THEN
        ARRAY(SELECT one FROM jsonb_array_elements_text(sample_values::jsonb) WITH ORDINALITY AS list (one, at) ORDER BY at) END,
    enum_values::jsonb, null_percentage::numeric, distinct_count::bigint, mean_value::double precision,
    first_seen::date, created_at::timestamptz
FROM staged_fields;

INSERT INTO annotations (
    id, field_id, description, business_name, owner, tags, business_rules, is_ai_generated, confidence, created_at,
    updated_at
)
SELECT
    id::uuid, field_id::uuid, description, business_name, owner,
    CASE WHEN tags IS NOT NULL THEN
        ARRAY(SELECT one FROM jsonb_array_elements_text(tags::jsonb) WITH ORDINALITY AS list (one, at) ORDER BY at) END,
    business_rules::jsonb, is_ai_generated::integer::boolean, confidence::double precision, created_at::timestamptz,
    updated_at::timestamptz
FROM staged_annotations;

DROP TABLE staged_dictionaries;
DROP TABLE staged_versions;
DROP TABLE staged_fields;
DROP TABLE staged_annotations;
