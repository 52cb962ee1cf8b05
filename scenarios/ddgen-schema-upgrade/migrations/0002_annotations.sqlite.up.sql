CREATE TABLE annotations (
    id TEXT NOT NULL PRIMARY KEY,
    field_id TEXT NOT NULL REFERENCES fields (id) ON DELETE CASCADE,
    description TEXT,
    is_ai_generated BOOLEAN NOT NULL DEFAULT 0,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX annotations_field_id_idx ON annotations (field_id);
-- A note to each version becomes an annotation of each of its fields; the id follows from the field's.
INSERT INTO annotations (id, field_id, description, created_at)
SELECT f.id, f.id, v.notes, v.created_at FROM fields f JOIN versions v ON v.id = f.version_id WHERE v.notes IS NOT NULL;
