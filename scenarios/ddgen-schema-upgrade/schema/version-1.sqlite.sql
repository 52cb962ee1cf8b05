-- A deployment that was never upgraded: version 1, and what the tool keeps about it.

CREATE TABLE dictionaries (
    id TEXT NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    description TEXT,
    created_by VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX dictionaries_name_idx ON dictionaries (name);

CREATE TABLE versions (
    id TEXT NOT NULL PRIMARY KEY,
    dictionary_id TEXT NOT NULL REFERENCES dictionaries (id) ON DELETE CASCADE,
    version_number INTEGER NOT NULL CHECK (version_number > 0),
    notes TEXT,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (dictionary_id, version_number)
);

CREATE TABLE fields (
    id TEXT NOT NULL PRIMARY KEY,
    version_id TEXT NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    field_path TEXT NOT NULL,
    data_type VARCHAR(50) NOT NULL,
    is_nullable BOOLEAN NOT NULL DEFAULT 1,
    UNIQUE (version_id, field_path)
);

CREATE TABLE schema_migrations (version uint64, dirty bool);
CREATE UNIQUE INDEX version_unique ON schema_migrations (version);
INSERT INTO schema_migrations (version, dirty) VALUES (1, FALSE);
