-- What the files hold, as it is written there.
CREATE TABLE staged_dictionaries (
    id text, name text, description text, source_file_name text, source_file_size text, tags text, metadata text,
    is_archived text, created_by text, created_at text, updated_at text
);
CREATE TABLE staged_versions (
    id text, dictionary_id text, version_number text, schema_hash text, notes text, processing_stats text,
    created_by text, created_at text
);
CREATE TABLE staged_fields (
    id text, version_id text, field_path text, field_name text, parent_path text, nesting_level text, position text,
    data_type text, semantic_type text, is_nullable text, is_array text, is_pii text, sample_values text,
    enum_values text, null_percentage text, distinct_count text, mean_value text, first_seen text, created_at text
);
CREATE TABLE staged_annotations (
    id text, field_id text, description text, business_name text, owner text, tags text, business_rules text,
    is_ai_generated text, confidence text, created_at text, updated_at text
);
