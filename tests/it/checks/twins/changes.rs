//! One change of each class of objects, and everything that all checks find then.

/// A change of the copy.
pub(super) struct Change {
    /// What is done.
    pub sql: &'static str,
    /// What all checks find, as the matrix tells it.
    pub finds: &'static [&'static str],
}

const fn change(sql: &'static str, finds: &'static [&'static str]) -> Change {
    Change { sql, finds }
}

pub(super) const CHANGES: &[Change] = &[
    change("DROP TABLE audit.log", &["schema table_missing source audit.log 1"]),
    change("ALTER TABLE users DROP COLUMN tags", &[
            "schema column_missing source users.tags 1",
            "schema object_changed target publication_table:news public.users 1",
            "unchecked column users.tags",
        ]),
    change("ALTER TABLE users ADD extra int", &[
            "schema warning object_extra target column:users.extra 1",
            "schema object_changed target publication_table:news public.users 1",
        ]),
    change("ALTER TABLE audit.log ALTER what TYPE varchar(99)", &["schema object_changed target column:audit.log.what 1"]),
    change("ALTER TABLE users ALTER born SET DEFAULT '2000-01-02'", &["schema object_changed target column:users.born 1"]),
    change("ALTER TABLE users ALTER id SET GENERATED ALWAYS", &["schema object_changed target column:users.id 1"]),
    change("ALTER TABLE notes ALTER words DROP EXPRESSION", &["schema object_changed target column:notes.words 1"]),
    change("ALTER TABLE users ALTER email DROP NOT NULL", &["schema object_changed target column:users.email 1"]),
    change(
        "ALTER TABLE notes DROP CONSTRAINT notes_body_check",
        &["schema object_missing target constraint:notes.notes_body_check 1",
          "schema object_missing target comment:table constraint notes_body_check on public.notes 1"],
    ),
    change(
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        &["schema object_missing target constraint:users.users_email_key 1", "schema object_missing target index:users.users_email_key 1"],
    ),
    change(
        "ALTER TABLE beds DROP CONSTRAINT beds_fkey",
        &["foreign_key foreign_key_missing target beds(house, floor) 1", "schema object_missing target constraint:beds.beds_fkey 1"],
    ),
    change(
        "ALTER TABLE notes DROP CONSTRAINT notes_user_fkey, ADD CONSTRAINT notes_user_fkey FOREIGN KEY (user_id)
         REFERENCES users ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID",
        &["foreign_key foreign_key_not_validated target notes.user_id 1", "schema object_changed target constraint:notes.notes_user_fkey 1"],
    ),
    change(
        "ALTER TABLE notes DROP CONSTRAINT notes_user_fkey, ADD CONSTRAINT notes_user_fkey FOREIGN KEY (user_id)
         REFERENCES users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
        &["foreign_key foreign_key_changed target notes.user_id 1", "schema object_changed target constraint:notes.notes_user_fkey 1"],
    ),
    change(
        "ALTER TABLE notes DISABLE TRIGGER ALL",
        &["schema left_disabled target constraint:notes.notes_user_fkey 1", "schema object_changed target trigger:notes.notes_touch 1",
          "schema warning left_disabled target trigger:notes.notes_touch 1"],
    ),
    change(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_body_idx'::regclass",
        &["schema index_invalid target index:notes.notes_body_idx 1"],
    ),
    change(
        "DROP INDEX notes_body_idx; CREATE INDEX notes_body_idx ON notes (lower(body), words) WHERE words > 3",
        &["schema object_changed target index:notes.notes_body_idx 1"],
    ),
    change(
        "DROP INDEX notes_body_idx; CREATE INDEX notes_body_idx ON notes (lower(body), words DESC) WHERE words > 4",
        &["schema object_changed target index:notes.notes_body_idx 1"],
    ),
    change(
        "DROP INDEX users_document_idx; CREATE INDEX users_document_idx ON users USING gin (document)",
        &["schema object_changed target index:users.users_document_idx 1"],
    ),
    change("DROP INDEX users_email_pattern_idx", &["schema object_missing target index:users.users_email_pattern_idx 1"]),
    change("ALTER SEQUENCE down NO CYCLE", &["schema object_changed target sequence:down 1"]),
    change("SELECT setval('lonely', 1)", &["sequence warning sequence_gives_again target sequence:lonely 5"]),
    change("SELECT setval('notes_id_seq', 1)", &["sequence sequence_behind target notes.id 2"]),
    change("SELECT setval('shared', 101)", &["sequence sequence_behind target notes.number 1"]),
    change("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'", &[
        "schema object_changed target type:mood 1",
        "checksum changed_row target users 1",
        "checksum changed_value target users.feeling 1 [id=\"1\" feeling: \"sad\" -> \"blue\"]",
    ]),
    change("ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'glad'", &["schema object_changed target type:mood 1"]),
    change("ALTER DOMAIN short DROP CONSTRAINT short_check", &["schema object_missing target constraint:short.short_check 1"]),
    change("DROP TRIGGER notes_touch ON notes", &["schema object_missing target trigger:notes.notes_touch 1"]),
    change("ALTER TABLE notes ENABLE TRIGGER notes_rest", &["schema object_changed target trigger:notes.notes_rest 1"]),
    change("ALTER EVENT TRIGGER watch DISABLE", &[
        "schema object_changed target event_trigger:watch 1", "schema warning left_disabled target event_trigger:watch 1",
    ]),
    change("ALTER TABLE notes DISABLE RULE keep", &[
        "schema object_changed target rule:notes.keep 1", "schema warning left_disabled target rule:notes.keep 1",
    ]),
    change("CREATE OR REPLACE VIEW loud AS SELECT upper(body) || '?' AS body FROM notes", &["schema object_changed target view:loud 1"]),
    change("ALTER VIEW loud RESET (security_barrier)", &["schema object_changed target view:loud 1"]),
    change("ALTER TABLE notes DISABLE TRIGGER ALL; INSERT INTO notes (id, body) VALUES (0, 'x');
            REFRESH MATERIALIZED VIEW counts; DELETE FROM notes WHERE id = 0; ALTER TABLE notes ENABLE TRIGGER ALL; ALTER TABLE notes DISABLE TRIGGER notes_rest",
        &["schema rows_differ target counts 1"]),
    change("ALTER FUNCTION trusted() SECURITY INVOKER", &["schema object_changed target function:trusted() 1"]),
    change("ALTER FUNCTION trusted() RESET search_path", &["schema object_changed target function:trusted() 1"]),
    change("GRANT EXECUTE ON FUNCTION trusted() TO PUBLIC", &["schema object_changed target function:trusted() 1"]),
    change("DROP PROCEDURE act()", &["schema object_missing target procedure:act() 1"]),
    change("REVOKE SELECT ON notes FROM PUBLIC", &["schema object_changed target table:notes 1"]),
    change("REVOKE UPDATE (body) ON notes FROM PUBLIC", &["schema object_changed target column:notes.body 1"]),
    change("ALTER TABLE beds OWNER TO CURRENT_USER", &["schema object_changed target table:beds 1"]),
    change("ALTER TABLE notes DISABLE ROW LEVEL SECURITY", &["schema object_changed target table:notes 1"]),
    change("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY", &["schema object_changed target table:notes 1"]),
    change("ALTER POLICY own ON notes USING (true)", &["schema object_changed target policy:notes.own 1"]),
    change("DROP POLICY own ON notes", &["schema object_missing target policy:notes.own 1"]),
    change("ALTER DEFAULT PRIVILEGES IN SCHEMA audit REVOKE SELECT ON TABLES FROM pg_monitor",
        &["schema object_missing target default_privileges:postgres on tables in audit 1"]),
    change("COMMENT ON TABLE users IS NULL", &["schema object_missing target comment:table public.users 1"]),
    change("COMMENT ON COLUMN notes.body IS 'other'", &["schema object_changed target comment:table column public.notes.body 1"]),
    change("ALTER TABLE users ALTER nick TYPE text; DROP EXTENSION citext",
        &["schema object_missing target extension:citext 1", "schema object_missing target comment:extension citext 1",
          "schema object_changed target column:users.nick 1"]),
    change("ALTER TABLE measures DETACH PARTITION measures_low",
        &[
            "schema object_changed target table:measures_low 1",
            "schema object_changed target column:measures_low.at 1",
            "schema object_changed target column:measures_low.level 1",
            "row_count count_differs target measures 2",
            "row_count count_differs target partition:measures_low 2",
            "checksum missing_row target measures 2 [at=\"2024-01-01\" level=\"1\"; at=\"2024-01-02\" level=\"2\"]",
        ]),
    change("ALTER TABLE audit.log REPLICA IDENTITY DEFAULT", &["schema object_changed target table:audit.log 1"]),
    change("ALTER PUBLICATION news DROP TABLE users", &["schema object_missing target publication_table:news public.users 1"]),
    change("ALTER PUBLICATION news SET (publish = 'insert')", &["schema object_changed target publication:news 1"]),
    change("ALTER TABLE audit.log SET UNLOGGED",
        &["schema object_changed target table:audit.log 1", "schema warning not_durable target table:audit.log 1"]),
    change("DROP STATISTICS habits", &["schema object_missing target statistics:habits 1"]),
    change("ALTER TABLE notes RESET (fillfactor)", &["schema object_changed target table:notes 1"]),
    change("SELECT lo_put(90001, 0, 'A')", &["schema object_changed target large_objects:all 1"]),
    change("SELECT lo_unlink(90002)", &[
        "schema object_changed target large_objects:all 1",
        "orphan warning orphan_inferred target files.body 1 [body=\"90002\"]",
    ]),
    change("CREATE VIEW more AS SELECT 1 AS one", &["schema warning object_extra target view:more 1", "schema warning object_extra target column:more.one 1"]),
    change("ALTER SERVER far OPTIONS (SET port '2')", &["schema object_changed target server:far 1"]),
    change("INSERT INTO nothing DEFAULT VALUES", &["row_count count_differs target nothing 1"]),
    change("DELETE FROM ONLY animals", &[
        "row_count count_differs target animals 1",
        "checksum missing_row target animals 1 [name=\"cat\"]",
    ]),
];
