//! The catalogue: everything in it, and every change to it.

use std::collections::BTreeSet;

use super::*;
use crate::model::{
    Catalogue, TableName,
    catalogue::{Action, Generation, ObjectName},
};

/// One of everything that a user can make without installing anything.
const EVERYTHING: &str = include_str!("everything.sql");

/// A change, and the objects that differ after it.
const CHANGES: &[(&str, &[&str])] = &[
    ("ALTER TABLE users ALTER email DROP NOT NULL", &["column:users.email"]),
    ("ALTER TABLE users ALTER email SET DEFAULT 'x'", &["column:users.email"]),
    ("ALTER TABLE users ALTER email TYPE varchar(99)", &["column:users.email"]),
    ("ALTER TABLE users ALTER id SET GENERATED ALWAYS", &["column:users.id"]),
    ("ALTER TABLE users ALTER email SET (n_distinct = 5)", &["column:users.email"]),
    ("ALTER TABLE users ALTER email SET STORAGE EXTERNAL", &["column:users.email"]),
    ("ALTER TABLE users ADD extra int", &["column:users.extra", "order:users"]),
    (
        "ALTER TABLE users DROP CONSTRAINT users_email_key",
        &["constraint:users.users_email_key", "index:users.users_email_key"],
    ),
    (
        "ALTER TABLE notes DROP CONSTRAINT notes_user_fkey, ADD CONSTRAINT notes_user_fkey FOREIGN KEY (user_id) \
      REFERENCES users ON DELETE CASCADE",
        &["constraint:notes.notes_user_fkey"],
    ),
    (
        "ALTER TABLE notes DROP CONSTRAINT notes_user_fkey, ADD CONSTRAINT notes_user_fkey FOREIGN KEY (user_id) \
      REFERENCES users ON DELETE SET NULL DEFERRABLE NOT VALID",
        &["constraint:notes.notes_user_fkey"],
    ),
    ("ALTER TABLE notes DISABLE TRIGGER ALL", &["constraint:notes.notes_user_fkey", "trigger:notes.notes_touch"]),
    ("DROP INDEX notes_body_idx; CREATE INDEX notes_body_idx ON notes (lower(body))", &["index:notes.notes_body_idx"]),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'notes_body_idx'::regclass",
        &["index:notes.notes_body_idx"],
    ),
    ("ALTER TABLE notes ENABLE ROW LEVEL SECURITY", &["table:notes"]),
    ("ALTER TABLE notes FORCE ROW LEVEL SECURITY", &["table:notes"]),
    ("ALTER TABLE notes REPLICA IDENTITY FULL", &["table:notes"]),
    ("ALTER TABLE audit.log SET UNLOGGED", &["table:audit.log"]),
    ("ALTER TABLE notes SET (fillfactor = 50)", &["table:notes"]),
    ("GRANT SELECT ON notes TO PUBLIC", &["table:notes"]),
    ("GRANT UPDATE (body) ON notes TO PUBLIC", &["column:notes.body"]),
    ("COMMENT ON COLUMN notes.body IS 'other'", &["comment:table column public.notes.body"]),
    ("COMMENT ON COLUMN notes.body IS NULL", &["comment:table column public.notes.body"]),
    ("ALTER SEQUENCE notes_id_seq CYCLE", &["sequence:notes_id_seq"]),
    ("ALTER SEQUENCE lonely OWNED BY notes.body", &["sequence:lonely"]),
    ("ALTER TYPE mood ADD VALUE 'so-so' BEFORE 'glad'", &["type:mood"]),
    ("ALTER DOMAIN short DROP CONSTRAINT short_check", &["constraint:short.short_check"]),
    ("ALTER DOMAIN short SET NOT NULL", &["type:short"]),
    ("ALTER TYPE pair ADD ATTRIBUTE z int", &["type:pair"]),
    ("DROP TRIGGER notes_touch ON notes", &["trigger:notes.notes_touch"]),
    ("ALTER EVENT TRIGGER watch DISABLE", &["event_trigger:watch"]),
    ("ALTER TABLE notes DISABLE RULE keep", &["rule:notes.keep"]),
    ("CREATE OR REPLACE VIEW loud AS SELECT upper(body) || '?' AS body FROM notes", &["view:loud"]),
    ("ALTER VIEW loud SET (security_barrier)", &["view:loud"]),
    ("REFRESH MATERIALIZED VIEW counts WITH NO DATA", &["materialized_view:counts"]),
    ("ALTER FUNCTION twice(integer) SECURITY DEFINER", &["function:twice(integer)"]),
    ("ALTER FUNCTION twice(integer) SET search_path = ''", &["function:twice(integer)"]),
    ("REVOKE EXECUTE ON FUNCTION twice(integer) FROM PUBLIC", &["function:twice(integer)"]),
    ("DROP PROCEDURE act()", &["procedure:act()"]),
    ("DROP AGGREGATE total(integer)", &["aggregate:total(integer)"]),
    ("ALTER POLICY own ON notes USING (true)", &["policy:notes.own"]),
    (
        "ALTER SCHEMA audit RENAME TO audit2; ALTER SCHEMA audit2 OWNER TO pg_database_owner",
        &[
            "column:audit.log.at",
            "column:audit2.log.at",
            "order:audit.log",
            "order:audit2.log",
            "schema:audit",
            "schema:audit2",
            "table:audit.log",
            "table:audit2.log",
        ],
    ),
    ("ALTER STATISTICS habits SET STATISTICS 7", &["statistics:habits"]),
    (
        "ALTER PUBLICATION news SET TABLE users",
        &["publication_table:news public.notes", "publication_table:news public.users"],
    ),
    ("ALTER PUBLICATION news SET (publish = 'insert')", &["publication:news"]),
    (
        "ALTER TABLE measures DETACH PARTITION measures_low",
        &["table:measures_low", "column:measures_low.at", "column:measures_low.level"],
    ),
    ("SELECT lo_create(0)", &["large_objects:all"]),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
        &["default_privileges:postgres on tables in public"],
    ),
    ("DROP CAST (mood AS integer)", &["cast:public.mood as integer"]),
    ("DROP COLLATION plain", &["collation:plain"]),
    ("ALTER TEXT SEARCH CONFIGURATION words DROP MAPPING FOR word", &["text_search_configuration:words"]),
    ("DROP OPERATOR === (int, int)", &["operator:public.===(integer,integer)"]),
    ("ALTER SERVER far OPTIONS (ADD host 'x')", &["server:far"]),
    (
        "CREATE INDEX ON measures (level)",
        &[
            "index:measures.measures_level_idx",
            "index:measures_high.measures_high_level_idx",
            "index:measures_low.measures_low_level_idx",
        ],
    ),
];

/// The catalogue without the roles of tests that run beside this one on the same cluster.
async fn catalogue(scratch: &mut Scratch) -> Catalogue {
    let mut catalogue = scratch.session.introspect().await.unwrap();
    catalogue.objects.retain(|name, _| name.class != "role" || !name.name.starts_with("rehearse_reader_"));
    catalogue
}

fn names<'a>(objects: impl IntoIterator<Item = &'a ObjectName>) -> BTreeSet<String> {
    objects.into_iter().map(ToString::to_string).collect()
}

/// Names of the objects that two catalogues do not have in common.
fn difference(before: &Catalogue, after: &Catalogue) -> BTreeSet<String> {
    let all = names(before.objects.keys().chain(after.objects.keys()));
    let object = |catalogue: &Catalogue, name: &str| {
        catalogue.objects.iter().find(|(known, _)| known.to_string() == name).map(|(_, definition)| definition.clone())
    };
    all.into_iter().filter(|name| object(before, name) != object(after, name)).collect()
}

#[tokio::test]
async fn every_change_of_the_catalogue_is_seen_and_nothing_else() {
    let Some(mut scratch) = Scratch::new("catalogue", EVERYTHING).await else { return };
    let before = catalogue(&mut scratch).await;
    assert_eq!(catalogue(&mut scratch).await, before);
    for (change, expected) in CHANGES {
        // A new label of an enum cannot be taken back, and a label that is not committed cannot be seen by name.
        scratch.session.begin(false).await.unwrap();
        scratch.session.execute(change).await.unwrap_or_else(|error| panic!("{change}: {error:?}"));
        let after = catalogue(&mut scratch).await;
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(difference(&before, &after), expected, "{change}");
        scratch.session.tx_rollback().await.unwrap();
    }
    assert_eq!(catalogue(&mut scratch).await, before);
    scratch.drop().await;
}

#[tokio::test]
async fn what_is_made_again_is_the_same_and_no_oid_shows() {
    let Some(mut scratch) = Scratch::new("again", EVERYTHING).await else { return };
    let before = catalogue(&mut scratch).await;
    let undo = "DROP SCHEMA public CASCADE; DROP SCHEMA audit CASCADE; DROP EVENT TRIGGER IF EXISTS watch; DROP PUBLICATION news;
        DROP SERVER far CASCADE; DROP FOREIGN DATA WRAPPER wrap; CREATE SCHEMA public AUTHORIZATION pg_database_owner;
        COMMENT ON SCHEMA public IS 'standard public schema'; GRANT USAGE ON SCHEMA public TO PUBLIC";
    scratch.session.execute(undo).await.unwrap();
    let empty = catalogue(&mut scratch).await;
    assert!(empty.tables.is_empty() && empty.sequences.is_empty());
    let left = names(empty.objects.keys().filter(|name| {
        !["database", "extension", "role", "setting", "schema", "comment", "large_objects", "tablespace"]
            .contains(&name.class.as_str())
    }));
    assert_eq!(left, BTreeSet::new());
    scratch.session.execute(EVERYTHING).await.unwrap();
    let mut after = catalogue(&mut scratch).await;
    assert_eq!(difference(&before, &after), BTreeSet::new());
    after.objects.clone_from(&before.objects);
    assert_eq!(before, after);
    scratch.drop().await;
}

#[tokio::test]
async fn tables_are_typed() {
    let Some(mut scratch) = Scratch::new("typed", EVERYTHING).await else { return };
    let catalogue = catalogue(&mut scratch).await;
    let tables: Vec<_> = catalogue.tables.keys().map(ToString::to_string).collect();
    assert_eq!(tables, ["Odd \"name\"\\.x", "foreigner", "measures", "notes", "users", "audit.log"]);
    assert!(catalogue.tables[&TableName::new("foreigner")].unreadable.is_some());
    let notes = &catalogue.tables[&TableName::new("notes")];
    assert_eq!(notes.primary_key.as_ref().unwrap().columns, ["id"]);
    assert_eq!(notes.columns[0].generation, Generation::IdentityByDefault);
    let Generation::Computed { expression, stored: true } = &notes.column("words").unwrap().generation else {
        panic!("{notes:?}")
    };
    assert!(expression.contains("length(body)"), "{expression}");
    let [key] = notes.foreign_keys.as_slice() else { panic!("{notes:?}") };
    assert_eq!((key.parent.to_string().as_str(), key.on_delete, key.validated), ("users", Action::SetNull, true));
    assert_eq!((key.deferrable, key.match_full), (Some(true), false));
    let [body, unique, plain] = notes.indexes.as_slice() else { panic!("{:?}", notes.indexes) };
    assert_eq!(body.parts[0].expression.as_deref(), Some("lower(body)"));
    assert_eq!((body.predicate.as_deref(), body.parts[1].descending), (Some("(words > 3)"), true));
    assert_eq!((plain.method.as_deref(), plain.parts[0].column.as_deref()), (Some("hash"), Some("user_id")));
    assert!(unique.unique && unique.valid);
    assert_eq!(notes.uniques.iter().map(|key| key.columns.clone()).collect::<Vec<_>>(), [["body", "user_id"]]);
    assert_eq!(notes.checks.len(), 1);
    let sequence = |name: &str| catalogue.sequences.iter().find(|s| s.name == TableName::new(name)).unwrap();
    let feeds = sequence("notes_id_seq").feeds.as_ref().unwrap();
    assert_eq!((feeds.table.to_string(), feeds.column.as_str()), ("notes".to_owned(), "id"));
    assert_eq!(sequence("lonely").feeds, None);
    scratch.drop().await;
}

#[tokio::test]
async fn a_table_made_from_its_own_catalogue_is_the_same_table() {
    let schema = "CREATE TABLE parent (id int GENERATED BY DEFAULT AS IDENTITY, \"Odd\" varchar(9) NOT NULL DEFAULT 'x', n numeric(9,2),
        CONSTRAINT parent_pkey PRIMARY KEY (id), CONSTRAINT parent_check CHECK (n > 0));
        CREATE UNIQUE INDEX parent_odd ON parent (\"Odd\"); CREATE INDEX parent_n ON parent (n DESC, lower(\"Odd\")) WHERE n > 5;
        CREATE TABLE child (x int NOT NULL, y int, z int GENERATED ALWAYS AS (x * 2) STORED,
        CONSTRAINT child_y_fkey FOREIGN KEY (y) REFERENCES parent (id) MATCH FULL ON UPDATE CASCADE ON DELETE RESTRICT DEFERRABLE,
        CONSTRAINT child_xy_key UNIQUE (x, y))";
    let Some(mut scratch) = Scratch::new("dialect", schema).await else { return };
    let before = catalogue(&mut scratch).await;
    let tables: Vec<Table> = before.tables.values().cloned().collect();
    let script = Postgres.dialect().create_tables(&tables);
    for statement in script.drop.iter().chain(&script.create).chain(&script.finish) {
        scratch.session.execute(statement).await.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
    let after = catalogue(&mut scratch).await;
    assert_eq!(after.tables, before.tables);
    assert_eq!(difference(&before, &after), BTreeSet::new());
    scratch.drop().await;
}
