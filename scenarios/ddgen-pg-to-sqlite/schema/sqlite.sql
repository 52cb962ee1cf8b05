-- The Data Dictionary Generator as it runs in a single container: text, integers and JSON in text.

CREATE TABLE dictionaries (
    id TEXT NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    source_file_name VARCHAR(500),
    source_file_size BIGINT CHECK (source_file_size >= 0),
    tags JSON TEXT,
    metadata JSON TEXT NOT NULL DEFAULT '{}',
    is_archived BOOLEAN NOT NULL DEFAULT 0,
    created_by VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX dictionaries_name_idx ON dictionaries (name);
CREATE INDEX dictionaries_created_at_idx ON dictionaries (created_at DESC);

CREATE TABLE versions (
    id TEXT NOT NULL PRIMARY KEY,
    dictionary_id TEXT NOT NULL REFERENCES dictionaries (id) ON DELETE CASCADE,
    version_number INTEGER NOT NULL CHECK (version_number > 0),
    schema_hash VARCHAR(64) NOT NULL,
    notes TEXT,
    processing_stats JSON TEXT,
    created_by VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (dictionary_id, version_number)
);
CREATE INDEX versions_schema_hash_idx ON versions (schema_hash);

CREATE TABLE fields (
    id TEXT NOT NULL PRIMARY KEY,
    version_id TEXT NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    field_path TEXT NOT NULL,
    field_name VARCHAR(255) NOT NULL,
    parent_path TEXT,
    nesting_level INTEGER NOT NULL DEFAULT 0 CHECK (nesting_level >= 0),
    position INTEGER NOT NULL,
    data_type VARCHAR(50) NOT NULL,
    semantic_type VARCHAR(100),
    is_nullable BOOLEAN NOT NULL DEFAULT 1,
    is_array BOOLEAN NOT NULL DEFAULT 0,
    is_pii BOOLEAN NOT NULL DEFAULT 0,
    sample_values JSON TEXT,
    enum_values JSON TEXT,
    null_percentage DECIMAL(5,2) CHECK (null_percentage BETWEEN 0 AND 100),
    distinct_count BIGINT,
    mean_value DOUBLE PRECISION,
    first_seen DATE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (version_id, field_path)
);
CREATE INDEX fields_name_idx ON fields (field_name);
CREATE INDEX fields_pii_idx ON fields (version_id) WHERE is_pii;

CREATE TABLE annotations (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL REFERENCES fields (id) ON DELETE CASCADE,
    description TEXT,
    business_name VARCHAR(255),
    owner VARCHAR(255),
    tags JSON TEXT,
    business_rules JSON TEXT,
    is_ai_generated BOOLEAN NOT NULL DEFAULT 0,
    confidence REAL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX annotations_field_id_idx ON annotations (field_id);
