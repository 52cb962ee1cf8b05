CREATE TABLE dictionaries (
    id uuid PRIMARY KEY,
    name varchar(255) NOT NULL,
    description text,
    created_by varchar(255),
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX dictionaries_name_idx ON dictionaries (name);

CREATE TABLE versions (
    id uuid PRIMARY KEY,
    dictionary_id uuid NOT NULL REFERENCES dictionaries (id) ON DELETE CASCADE,
    version_number integer NOT NULL CHECK (version_number > 0),
    notes text,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (dictionary_id, version_number)
);

CREATE TABLE fields (
    id uuid PRIMARY KEY,
    version_id uuid NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    field_path text NOT NULL,
    data_type varchar(50) NOT NULL,
    is_nullable boolean NOT NULL DEFAULT true,
    UNIQUE (version_id, field_path)
);
