//! What `validate_migration` finds: one thing at a time is spoiled behind the conversion.

use super::*;

/// What is done to a converted database, and a part of what is said.
const SPOILED: &[(&str, &str, &str)] = &[
    (
        "a_lost_row",
        "DELETE FROM reminders WHERE id = 1",
        "the rows of reminders are not those of the backup (17 then, 16 now)",
    ),
    (
        "a_changed_value",
        "UPDATE journal_entries SET note = 'x' WHERE id = 1",
        "the rows of journal_entries are not those of the backup (29 then, 29 now)",
    ),
    (
        "a_moved_reference",
        "UPDATE reminders SET user_id = (SELECT id FROM users WHERE email = 'user1') WHERE id = 1",
        "the rows of reminders are not those of the backup",
    ),
    (
        "an_orphan",
        "ALTER TABLE reminders DISABLE TRIGGER ALL; INSERT INTO reminders VALUES (99, gen_random_uuid());
         ALTER TABLE reminders ENABLE TRIGGER ALL",
        "1 rows of reminders.user_id refer to no users.id",
    ),
    ("a_lost_index", "DROP INDEX journal_by_user", "journal_by_user of journal_entries.user_id did not come back"),
    (
        "a_lost_reference",
        "ALTER TABLE journal_entries DROP CONSTRAINT journal_user",
        "journal_user of journal_entries.user_id did not come back",
    ),
    (
        "another_type",
        "ALTER TABLE reminders DROP CONSTRAINT reminders_user_id_fkey, ALTER COLUMN user_id TYPE text",
        "reminders.user_id is no native UUID",
    ),
    (
        "an_index_that_is_not_used",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_pkey'::regclass",
        "rows are not found by an index on users.id any more",
    ),
];

#[tokio::test]
async fn what_is_spoiled_is_found() {
    let Some(bench) = Bench::new("what_is_spoiled_is_found").await else { return };
    spoiled(&bench).await;
}

pub(super) async fn spoiled(bench: &Bench) {
    let clean = bench.database("clean", SCHEMA).await;
    perform_whole(&clean, &settings(), Operation::FullMigration).await.unwrap();
    for (name, sql, expected) in SPOILED {
        let spoiled = bench.copy("clean", &format!("{name}_behind")).await;
        execute(&spoiled, sql).await;
        let error = perform_whole(&spoiled, &settings(), Operation::ValidateMigration).await.err();
        let error = error.unwrap_or_else(|| panic!("{name} was not found"));
        assert!(matches!(error, StepError::Rejected { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
        assert_eq!(log(&spoiled).await.last().unwrap(), "validate_migration failed", "{name}");
    }
}

/// Enough rows for an index to be worth something.
const MANY: &str = "CREATE TABLE users (id varchar(36) PRIMARY KEY);
    CREATE TABLE notes (id int PRIMARY KEY, user_id varchar(36) REFERENCES users (id), other_id varchar(36) REFERENCES users (id));
    CREATE INDEX notes_user ON notes (user_id);
    INSERT INTO users SELECT md5(n::text)::uuid::text FROM generate_series(1, 5000) n;
    INSERT INTO notes SELECT n, md5((n % 5000 + 1)::text)::uuid::text, md5('1')::uuid::text FROM generate_series(1, 20000) n;";

#[tokio::test]
async fn a_lookup_that_became_worse_is_found() {
    let Some(bench) = Bench::new("a_lookup_that_became_worse_is_found").await else { return };
    worse(&bench).await;
}

pub(super) async fn worse(bench: &Bench) {
    let clean = bench.database("many", MANY).await;
    let settings = Settings { batch_rows: 1000, ..settings() };
    perform_whole(&clean, &settings, Operation::FullMigration).await.unwrap();
    perform_whole(&clean, &settings, Operation::ValidateMigration).await.unwrap();
    let dearer = "to find rows by notes.user_id costs more than 4 times as much (";
    for (name, sql, expected) in [
        // The rows' own key is still there, and is read whole in its place.
        ("lost", "DROP INDEX notes_user", "rows are not found by an index on notes.user_id any more"),
        ("unfit", "DROP INDEX notes_user; CREATE INDEX notes_user ON notes (id, user_id)", dearer),
    ] {
        let spoiled = bench.copy("many", name).await;
        execute(&spoiled, sql).await;
        let told = message(&spoiled, &settings, Operation::ValidateMigration).await;
        assert!(told.contains(expected), "{name}: {told}");
        assert!(!told.contains("by an index on notes.other_id"), "it never had one: {told}");
    }
}
