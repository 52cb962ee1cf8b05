-- The Data Dictionary Generator as it runs for many users: PostgreSQL with types of its own.

CREATE TABLE dictionaries (
    id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    source_file_name varchar(500),
    source_file_size bigint CHECK (source_file_size >= 0),
    tags text[],
    metadata jsonb NOT NULL DEFAULT '{}',
    is_archived boolean NOT NULL DEFAULT false,
    created_by varchar(255),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX dictionaries_name_idx ON dictionaries (name);
CREATE INDEX dictionaries_created_at_idx ON dictionaries (created_at DESC);

CREATE TABLE versions (
    id uuid PRIMARY KEY,
    dictionary_id uuid NOT NULL REFERENCES dictionaries (id) ON DELETE CASCADE,
    version_number integer NOT NULL CHECK (version_number > 0),
    schema_hash varchar(64) NOT NULL,
    notes text,
    processing_stats jsonb,
    created_by varchar(255),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (dictionary_id, version_number)
);
CREATE INDEX versions_schema_hash_idx ON versions (schema_hash);

CREATE TABLE fields (
    id uuid PRIMARY KEY,
    version_id uuid NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    field_path text NOT NULL,
    field_name varchar(255) NOT NULL,
    parent_path text,
    nesting_level integer NOT NULL DEFAULT 0 CHECK (nesting_level >= 0),
    position integer NOT NULL,
    data_type varchar(50) NOT NULL,
    semantic_type varchar(100),
    is_nullable boolean NOT NULL DEFAULT true,
    is_array boolean NOT NULL DEFAULT false,
    is_pii boolean NOT NULL DEFAULT false,
    sample_values text[],
    enum_values jsonb,
    null_percentage numeric(5,2) CHECK (null_percentage BETWEEN 0 AND 100),
    distinct_count bigint,
    mean_value double precision,
    first_seen date,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (version_id, field_path)
);
CREATE INDEX fields_name_idx ON fields (field_name);
CREATE INDEX fields_pii_idx ON fields (version_id) WHERE is_pii;

CREATE TABLE annotations (
    id uuid PRIMARY KEY,
    field_id uuid NOT NULL REFERENCES fields (id) ON DELETE CASCADE,
    description text,
    business_name varchar(255),
    owner varchar(255),
    tags text[],
    business_rules jsonb,
    is_ai_generated boolean NOT NULL DEFAULT false,
    confidence double precision,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX annotations_field_id_idx ON annotations (field_id);
