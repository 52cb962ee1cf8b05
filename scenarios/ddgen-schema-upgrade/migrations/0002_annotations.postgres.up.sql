CREATE TABLE annotations (
    id uuid PRIMARY KEY,
    field_id uuid NOT NULL REFERENCES fields (id) ON DELETE CASCADE,
    description text,
    is_ai_generated boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX annotations_field_id_idx ON annotations (field_id);
-- A note to each version becomes an annotation of each of its fields; the id follows from the field's.
INSERT INTO annotations (id, field_id, description, created_at)
SELECT f.id, f.id, v.notes, v.created_at FROM fields f JOIN versions v ON v.id = f.version_id WHERE v.notes IS NOT NULL;
