//! What keeps a conversion from beginning or going on; each is told, and nothing but the log is left.

use super::*;
use crate::{
    small_disk::SmallDisk,
    support::{Sandbox, server::request, skipped},
};

/// A change to the schema that the conversion has to reject, and a part of what it says.
const REJECTED: &[(&str, &str, &str)] = &[
    ("no_uuid", "INSERT INTO users (id, email) VALUES ('4711', 'x'), ('', 'y')", "2 values of users.id are no UUIDs"),
    (
        "two_spellings",
        "INSERT INTO users (id, email) VALUES ('C81E728D9D4C2F636F067F89CC14862C', 'x')",
        "1 UUIDs stand in users(id) in several spellings",
    ),
    (
        "orphans",
        "ALTER TABLE reminders DISABLE TRIGGER ALL;
         INSERT INTO reminders VALUES (90, '11111111-1111-1111-1111-111111111111');
         ALTER TABLE reminders ENABLE TRIGGER ALL",
        "1 rows of reminders.user_id refer to no users.id",
    ),
    ("a_view", "CREATE VIEW of_users AS SELECT id FROM users", "view of_users depends on it"),
    ("a_policy", "CREATE POLICY own ON tags USING (user_id = current_user)", "policy own on table tags depends on it"),
    (
        "a_trigger",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER watch BEFORE UPDATE OF user_id ON tags FOR EACH ROW EXECUTE FUNCTION nothing()",
        "trigger watch on table tags depends on it",
    ),
    (
        "a_generated_column",
        "ALTER TABLE users ADD COLUMN short text GENERATED ALWAYS AS (left(id, 8)) STORED",
        "depends on it",
    ),
    (
        "a_partition",
        "CREATE TABLE visits (user_id varchar(36) REFERENCES users (id)) PARTITION BY LIST (user_id);
         CREATE TABLE visits_rest PARTITION OF visits DEFAULT",
        "its table is partitioned or a partition",
    ),
    (
        "a_check",
        "CREATE TABLE visits (user_id text CHECK (length(user_id) > 3) REFERENCES users (id))",
        "visits cannot be changed where it stands",
    ),
    (
        "a_check_of_rows",
        "ALTER TABLE users ADD CHECK (email <> 'user1' OR id = upper(id))",
        "users cannot be changed where it stands",
    ),
    ("a_pattern", "CREATE INDEX found ON tags (user_id varchar_pattern_ops)", "tags cannot be changed where it stands"),
    (
        "a_default",
        "ALTER TABLE reminders ALTER COLUMN user_id SET DEFAULT 'nobody'",
        "reminders cannot be changed where it stands",
    ),
    (
        "another_type",
        "CREATE TABLE odd (id date REFERENCES days (id))",
        "odd.id is of type date, whose values are no UUIDs",
    ),
];

#[tokio::test]
async fn what_cannot_be_converted_is_rejected() {
    let Some(bench) = Bench::new("what_cannot_be_converted_is_rejected").await else { return };
    rejected(&bench).await;
}

pub(super) async fn rejected(bench: &Bench) {
    bench.database("pattern", SCHEMA).await;
    for (name, change, expected) in REJECTED {
        let mut settings = settings();
        let address = bench.copy("pattern", name).await;
        if *name == "another_type" {
            execute(&address, "CREATE TABLE days (id date PRIMARY KEY)").await;
            settings.key = "days.id".parse().unwrap();
        }
        execute(&address, change).await;
        let before = state(&address).await;
        let done = perform_whole(&address, &settings, Operation::FullMigration).await;
        let error = done.err().unwrap_or_else(|| panic!("{name} was converted"));
        assert!(matches!(error, StepError::Rejected { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains(expected), "{name}: {error}");
        same(&before, &state(&address).await, name);
        assert_eq!(log(&address).await, ["validate_schema failed"], "{name}");
        let there = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{BACKUP}'");
        assert!(ask(&address, &there).await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn every_value_that_is_wrong_is_named_in_the_log_and_only_there() {
    let Some(bench) = Bench::new("every_value_that_is_wrong_is_named_in_the_log_and_only_there").await else { return };
    named(&bench).await;
}

pub(super) async fn named(bench: &Bench) {
    let address = bench.database("named", SCHEMA).await;
    execute(&address, "INSERT INTO users (id, email) SELECT 'wrong-' || n, 'w' FROM generate_series(1, 30) n").await;
    let told = message(&address, &settings(), Operation::ValidateSchema).await;
    assert!(told.contains("30 values of users.id") && told.contains(LOG) && !told.contains("wrong-"), "{told}");
    let logged = ask(&address, &format!("SELECT message FROM {LOG}")).await.remove(0).remove(0).unwrap();
    for number in 1..=30 {
        assert!(logged.contains(&format!("wrong-{number}")), "{number}: {logged}");
    }
    assert!(!logged.contains(" more"), "{logged}");
    // Of very many the first hundred, and the number of the others. Two rows of one value are one.
    execute(
        &address,
        "ALTER TABLE journal_entries DROP CONSTRAINT journal_user;
         INSERT INTO journal_entries SELECT 100 + n, 'wrong-in-the-journal-of-somebody-' || n % 117, 'w'
         FROM generate_series(1, 234) n",
    )
    .await;
    let settings = Settings { references: vec!["journal_entries.user_id".parse().unwrap()], ..settings() };
    let told = message(&address, &settings, Operation::ValidateSchema).await;
    assert!(told.contains("234 values of journal_entries.user_id are no UUIDs"), "{told}");
    let logged = format!("SELECT message FROM {LOG} ORDER BY id DESC LIMIT 1");
    let logged = ask(&address, &logged).await.remove(0).remove(0).unwrap();
    assert_eq!(logged.matches("wrong-in-the-journal-").count(), 100, "{logged}");
    assert!(logged.contains(", and 17 more"), "{logged}");
}

#[tokio::test]
async fn orphans_can_be_assigned_and_come_back_as_they_were() {
    let Some(bench) = Bench::new("orphans_can_be_assigned_and_come_back_as_they_were").await else { return };
    assigned(&bench).await;
}

pub(super) async fn assigned(bench: &Bench) {
    bench.database("with_orphans", SCHEMA).await;
    for (name, mode) in [("assigned", settings()), ("assigned_online", online())] {
        let address = bench.copy("with_orphans", name).await;
        execute(
            &address,
            "ALTER TABLE reminders DROP CONSTRAINT reminders_user_id_fkey;
             INSERT INTO reminders SELECT n, '11111111-1111-1111-1111-11111111111' || n % 3 FROM generate_series(90, 99) n",
        )
        .await;
        let before = state(&address).await;
        let wanted = "c81e728d-9d4c-2f63-6f06-7f89cc14862c";
        let settings = Settings {
            references: vec!["reminders.user_id".parse().unwrap()],
            orphans: Orphans::Assign(wanted.to_owned()),
            ..mode
        };
        let unknown =
            Settings { orphans: Orphans::Assign("22222222-2222-2222-2222-222222222222".into()), ..settings.clone() };
        let told = message(&address, &unknown, Operation::FullMigration).await;
        assert!(told.contains("which is no users.id"), "{told}");
        perform_whole(&address, &settings, Operation::FullMigration).await.unwrap();
        let assigned = ask(&address, "SELECT DISTINCT user_id::text FROM reminders WHERE id >= 90").await;
        assert_eq!(assigned, [[Some(wanted.to_owned())]], "{name}");
        perform_whole(&address, &settings, Operation::Rollback).await.unwrap();
        same(&before, &state(&address).await, name);
    }
}

#[tokio::test]
async fn a_lock_that_is_held_is_waited_for_and_then_given_up() {
    let Some(bench) = Bench::new("a_lock_that_is_held_is_waited_for_and_then_given_up").await else { return };
    locked(&bench).await;
}

pub(super) async fn locked(bench: &Bench) {
    let address = bench.database("locked", SCHEMA).await;
    let before = state(&address).await;
    let mut other = engine::by_id("postgres").unwrap().connect(&address).await.unwrap();
    other.begin(false).await.unwrap();
    other.query("SELECT count(*) FROM users").await.unwrap();
    let told = message(&address, &settings(), Operation::FullMigration).await;
    assert!(told.contains("get a lock in 2 tries of 200 ms"), "{told}");
    other.tx_rollback().await.unwrap();
    assert_eq!(log(&address).await.last().unwrap(), "migrate_key failed");
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    same(&before, &state(&address).await, "rolled back");
    // A lock that is let go in time is no trouble.
    other.begin(false).await.unwrap();
    other.query("SELECT count(*) FROM users").await.unwrap();
    let release = async {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        other.tx_rollback().await.unwrap();
    };
    let patient = Settings { lock_tries: 100, ..settings() };
    let (done, ()) = tokio::join!(perform_whole(&address, &patient, Operation::FullMigration), release);
    done.unwrap();
}

#[tokio::test]
async fn a_schema_of_somebody_elses_is_left_alone() {
    let Some(bench) = Bench::new("a_schema_of_somebody_elses_is_left_alone").await else { return };
    of_somebody_else(&bench).await;
}

pub(super) async fn of_somebody_else(bench: &Bench) {
    let address = bench.database("foreign_backup", SCHEMA).await;
    execute(&address, &format!("CREATE SCHEMA {BACKUP}; CREATE TABLE {BACKUP}.precious AS SELECT 1 AS one")).await;
    let told = message(&address, &settings(), Operation::FullMigration).await;
    assert!(told.contains("is none of ours"), "{told}");
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    let before = state(&address).await;
    let elsewhere = Settings { backup: Some("kept elsewhere".to_owned()), ..settings() };
    perform_whole(&address, &elsewhere, Operation::FullMigration).await.unwrap();
    perform_whole(&address, &elsewhere, Operation::Rollback).await.unwrap();
    same(&before, &state(&address).await, "back from another place");
    assert_eq!(ask(&address, &format!("SELECT one::text FROM {BACKUP}.precious")).await, [[Some("1".to_owned())]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_finds_no_room_leaves_all_as_it_was() {
    const TEST: &str = "a_backup_that_finds_no_room_leaves_all_as_it_was";
    // Dropped last: a folder goes only when nothing is mounted in it any more.
    let room = Sandbox::new();
    let Some(disk) = SmallDisk::mount(room.path("disk"), "192m") else {
        return skipped(TEST, "root", "a small disk cannot be mounted here");
    };
    let Some(started) = Started::of(TEST, "local", request(disk.path()), Sandbox::new()).await else { return };
    let bench = Bench(started);
    let address = bench.database("crowded", SCHEMA).await;
    // Letters that the server hardly compresses: 8 MB.
    execute(
        &address,
        "INSERT INTO journal_entries SELECT 1000 + n, (SELECT min(id) FROM users),
             (SELECT string_agg(md5(random()::text || i || n), '') FROM generate_series(1, 60) i)
         FROM generate_series(1, 4000) n",
    )
    .await;
    let before = state(&address).await;
    // A fresh segment of the server's log, so that it is the copy that finds no room and not the log.
    let admin = &bench.0.server.admin;
    execute(admin, "CHECKPOINT").await;
    ask(admin, "SELECT pg_switch_wal()").await;
    execute(admin, "CREATE TABLE touched (x int)").await;
    execute(admin, "CHECKPOINT").await;
    disk.fill_up_to(3 << 20);
    let told = message(&address, &settings(), Operation::FullMigration).await;
    assert!(told.contains("no space is left"), "{told}");
    assert_eq!(log(&address).await, ["validate_schema completed", "backup_data failed"]);
    perform_whole(&address, &settings(), Operation::Rollback).await.unwrap();
    let there = format!("SELECT 1 FROM pg_namespace WHERE nspname = '{BACKUP}'");
    assert!(ask(&address, &there).await.is_empty());
    // What is compared needs room for sorting.
    std::fs::remove_file(disk.path().join("filler")).unwrap();
    same(&before, &state(&address).await, "rolled back where there was no room");
    perform_whole(&address, &settings(), Operation::FullMigration).await.unwrap();
}
