CREATE TABLE staged_dictionaries (
    id TEXT, name TEXT, description TEXT, source_file_name TEXT, source_file_size INTEGER, tags TEXT, metadata TEXT,
    is_archived INTEGER, created_by TEXT, created_at TEXT, updated_at TEXT
);
CREATE TABLE staged_versions (
    id TEXT, dictionary_id TEXT, version_number INTEGER, schema_hash TEXT, notes TEXT, processing_stats TEXT,
    created_by TEXT, created_at TEXT
);
CREATE TABLE staged_fields (
    id TEXT, version_id TEXT, field_path TEXT, field_name TEXT, parent_path TEXT, nesting_level INTEGER, position INTEGER,
    data_type TEXT, semantic_type TEXT, is_nullable INTEGER, is_array INTEGER, is_pii INTEGER, sample_values TEXT,
    enum_values TEXT, null_percentage TEXT, distinct_count INTEGER, mean_value DOUBLE PRECISION, first_seen TEXT,
    created_at TEXT
);
CREATE TABLE staged_annotations (
    id TEXT, field_id TEXT, description TEXT, business_name TEXT, owner TEXT, tags TEXT, business_rules TEXT,
    is_ai_generated INTEGER, confidence DOUBLE PRECISION, created_at TEXT, updated_at TEXT
);
