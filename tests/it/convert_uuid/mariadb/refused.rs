//! What keeps a conversion from beginning or going on; each is told, and nothing but the log is left.

use super::*;

on_each!(
    what_cannot_be_converted_is_rejected,
    orphans_can_be_assigned,
    a_lock_is_waited_for,
    a_database_of_somebody_elses
);

/// A change to the schema that the conversion has to reject, and a part of what it says.
const REJECTED: &[(&str, &str, &str)] = &[
    (
        "no_uuid",
        "INSERT INTO users (id, email) VALUES (repeat('x', 36), 'x'), (insert(uuid(), 3, 0, '-'), 'hyphens'), (concat('{', uuid(), '}'), 'y'), (concat(md5(1), '\\n'), 'z')",
        "4 values of users.id are no UUIDs",
    ),
    (
        "two_spellings",
        "INSERT INTO users (id, email) VALUES ('C81E728D9D4C2F63AF067F89CC14862C', 'x')",
        "1 UUIDs stand in users(id) in several spellings",
    ),
    (
        "orphans",
        "SET foreign_key_checks = 0; INSERT INTO reminders (id, user_id) VALUES (90, '11111111-1111-1111-1111-111111111111')",
        "1 rows of reminders.user_id refer to no users.id",
    ),
    ("a_view", "CREATE VIEW of_users AS SELECT u.id FROM users u", "view of_users depends on it"),
    (
        "a_trigger",
        "CREATE TRIGGER watch BEFORE UPDATE ON tags FOR EACH ROW SET NEW.name = NEW.user_id",
        "trigger watch on table tags depends on it",
    ),
    (
        "a_generated_column",
        "ALTER TABLE tags ADD COLUMN short text AS (left(user_id, 8)) VIRTUAL",
        "generated column short depends on it",
    ),
    (
        "a_partition",
        "CREATE TABLE visits (user_id varchar(40) NOT NULL) PARTITION BY KEY (user_id) PARTITIONS 2",
        "visits.user_id cannot be changed where it stands: its table is partitioned",
    ),
    (
        "a_check",
        "ALTER TABLE tags ADD CONSTRAINT given CHECK (user_id <> '')",
        "tags cannot be changed where it stands",
    ),
    (
        "a_default",
        "ALTER TABLE reminders ALTER COLUMN user_id SET DEFAULT 'nobody'",
        "reminders cannot be changed where it stands",
    ),
    ("a_beginning", "CREATE INDEX beginning ON tags (user_id(8))", "index beginning holds only its beginning"),
    ("another_engine", "CREATE TABLE visits (user_id varchar(40)) ENGINE = MyISAM", "its table is kept by MyISAM"),
    (
        "a_history",
        "CREATE TABLE visits (user_id varchar(40)) WITH SYSTEM VERSIONING",
        "its table keeps the history of its rows",
    ),
    (
        "from_elsewhere",
        "CREATE DATABASE elsewhere; CREATE TABLE elsewhere.visits (user_id varchar(40), FOREIGN KEY (user_id) REFERENCES users (id))",
        "of elsewhere.visits refers to it",
    ),
];

async fn what_cannot_be_converted_is_rejected(home: &Home) {
    for (name, change, expected) in REJECTED {
        let address = home.database(name, SCHEMA).await;
        execute(&address, &change.replace("REFERENCES users", &format!("REFERENCES {name}.users"))).await;
        let mut settings = settings();
        if change.contains("CREATE TABLE visits") {
            settings.references = vec!["visits.user_id".parse().unwrap()];
        }
        let before = state(&address).await;
        let done = perform_whole(&address, &settings, Operation::FullMigration).await;
        let error = done.err().unwrap_or_else(|| panic!("{name} was converted"));
        assert!(matches!(error, StepError::Rejected { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
        same(&before, &state(&address).await, name);
        assert_eq!(log(&address).await, ["validate_schema failed"], "{name}");
        home.assert_no_backup(name).await;
    }
    let view = "SELECT action_statement FROM information_schema.triggers WHERE trigger_name LIKE 'fill%'";
    assert!(ask(&home.admin, view).await.is_empty());
}

async fn orphans_can_be_assigned(home: &Home) {
    for (name, mode) in [("assigned", settings()), ("assigned_online", online())] {
        let address = home.database(name, SCHEMA).await;
        execute(
            &address,
            "ALTER TABLE reminders DROP FOREIGN KEY reminders_ibfk_1;
             INSERT INTO reminders (id, user_id) SELECT seq, concat('11111111-1111-1111-1111-11111111111', seq % 3) FROM seq_90_to_99",
        )
        .await;
        let before = state(&address).await;
        let wanted = "c81e728d-9d4c-2f63-af06-7f89cc14862c";
        let settings = Settings {
            references: vec!["reminders.user_id".parse().unwrap()],
            orphans: Orphans::Assign(wanted.to_owned()),
            ..mode
        };
        perform_whole(&address, &settings, Operation::FullMigration).await.unwrap();
        let assigned = ask(&address, "SELECT DISTINCT user_id FROM reminders WHERE id >= 90").await;
        assert_eq!(assigned, [[Some(wanted.to_owned())]], "{name}");
        perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
        same(&before, &state(&address).await, name);
    }
}

async fn a_lock_is_waited_for(home: &Home) {
    let address = home.database("locked", SCHEMA).await;
    let before = state(&address).await;
    let mut other = engine::by_id("mariadb").unwrap().connect(&address).await.unwrap();
    // One holds the table's definition, the other rows of it.
    for (number, statement) in
        ["SELECT COUNT(*) FROM users", "SELECT COUNT(*) FROM journal_entries FOR UPDATE"].iter().enumerate()
    {
        other.begin(false).await.unwrap();
        other.query(statement).await.unwrap();
        let told = message(&address, &settings(), Operation::FullMigration).await;
        assert!(
            told.contains("in 2 tries of 200 ms") || told.contains("locked by another process"),
            "{number}: {told}"
        );
        other.tx_rollback().await.unwrap();
        assert!(log(&address).await.last().unwrap().ends_with("failed"));
        perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
        same(&before, &state(&address).await, "rolled back");
    }
}

async fn a_database_of_somebody_elses(home: &Home) {
    let address = home.database("theirs", SCHEMA).await;
    let precious =
        "CREATE DATABASE theirs_migration_backup; CREATE TABLE theirs_migration_backup.precious AS SELECT 1 AS one";
    execute(&address, precious).await;
    let told = message(&address, &settings(), Operation::FullMigration).await;
    assert!(told.contains("theirs_migration_backup is there already, and is none of ours"), "{told}");
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    let one = ask(&address, "SELECT one FROM theirs_migration_backup.precious").await;
    assert_eq!(one, [[Some("1".to_owned())]]);
    // Another place can be named.
    let elsewhere = Settings { backup: Some("theirs_kept".to_owned()), ..settings() };
    let before = state(&address).await;
    perform_whole(&address, &elsewhere, Operation::FullMigration).await.unwrap();
    perform_whole(&address, &elsewhere, Operation::Rollback).await.unwrap();
    same(&before, &state(&address).await, "back from another place");
}
