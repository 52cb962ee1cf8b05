//! Whatever breaks the import, nothing of it stays.

use super::*;
use crate::small_disk::SmallDisk;

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_not_empty_is_refused_or_cleared() {
    let Some(bench) = Bench::new("a_target_that_is_not_empty_is_refused_or_cleared").await else { return };
    let filled = format!("{TARGET}; INSERT INTO unused VALUES (1, 'precious'); INSERT INTO parents VALUES (9, 'x')");
    let case = bench.case("refused", SOURCE, &filled, json!({})).await;
    let (error, marks) = case.fails(|_, _| {}).await;
    assert!(matches!(error, StepError::Refused { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("the target is not empty") && text.contains("2 of its tables hold rows"), "{text}");
    assert!(marks.is_empty(), "{marks:?}");

    let case = bench.case("cleared", SOURCE, &filled, json!({ "when_not_empty": "clear" })).await;
    case.forward(&mut Voice::silent()).await.unwrap();
    assert_eq!((case.count("parents").await, case.count("unused").await), (3, 0));
}

/// Rows that refer to later rows of their own table go in although batches are smaller than the distance.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_may_refer_to_its_own_later_rows() {
    let Some(bench) = Bench::new("a_table_may_refer_to_its_own_later_rows").await else { return };
    let source = "CREATE TABLE tree (id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree (id));
                  PRAGMA foreign_keys = off;
                  INSERT INTO tree WITH RECURSIVE n (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n WHERE value < 100)
        SELECT value, 101 - value FROM n";
    let target = "CREATE TABLE tree (id bigint PRIMARY KEY, up bigint REFERENCES tree (id))";
    let case = bench.case("tree", source, target, json!({})).await;
    case.forward(&mut Voice::silent()).await.unwrap();
    assert_eq!(case.count("tree").await, 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_the_middle_leaves_nothing() {
    let Some(bench) = Bench::new("a_connection_that_breaks_in_the_middle_leaves_nothing").await else { return };
    let case = bench.case("cut", SOURCE, TARGET, json!({})).await;
    let admin = case.admin.clone();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cut'";
    let mut cut = 0;
    let (error, marks) = case
        .fails(|doing, done| {
            // The parents and the unused table are committed by now, and two batches of the children are sent.
            if (doing, done) == ("import", 23) {
                let admin = admin.clone();
                cut = wait(async move { ask(&admin, sql).await.len() });
            }
        })
        .await;
    assert_eq!(cut, 1, "the step has one session at a time");
    assert!(matches!(error, StepError::Engine(EngineError::Unavailable { .. })), "{error:?}");
    let kinds: Vec<_> = marks.iter().map(|mark| mark["import"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["begun", "committing", "committing", "taken_back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_in_time_is_emptied_again() {
    let Some(bench) = Bench::new("a_server_that_comes_back_in_time_is_emptied_again").await else { return };
    let case = bench.case("restarted", SOURCE, TARGET, json!({})).await;
    let (data, lease, request) = (bench.data(), bench.0.leases.0[0].clone(), bench.0.request.clone());
    let mut again = None;
    let (error, marks) = case
        .fails(|doing, done| {
            if (doing, done) == ("import", 23) {
                stop(&data);
                let (lease, request) = (lease.clone(), request.clone());
                again = Some(std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(300));
                    wait(async move {
                        provision::by_id("local").unwrap().reattach(&lease, &request).await.unwrap();
                    });
                }));
            }
        })
        .await;
    again.unwrap().join().unwrap();
    assert!(matches!(error, StepError::Engine(EngineError::Unavailable { .. })), "{error:?}");
    assert_eq!(marks.last().unwrap(), &json!({ "import": "taken_back" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_never_returns_is_told_and_rolled_back_later() {
    let Some(bench) = Bench::new("a_server_that_never_returns_is_told_and_rolled_back_later").await else { return };
    let mut case = bench.case("gone", SOURCE, TARGET, json!({})).await;
    case.task.reconnect_ms = 500;
    let before = case.state().await;
    let mut voice = Voice {
        marks: Vec::new(),
        hook: Box::new(|doing, done| {
            if (doing, done) == ("import", 23) {
                bench.stop();
            }
        }),
    };
    let error = case.forward(&mut voice).await.unwrap_err();
    assert!(matches!(error, StepError::Unrestored { .. }), "{error:?}");
    let text = chain(&error);
    assert!(text.contains("could not be taken back") && text.contains("failed to reach"), "{text}");
    let marks = voice.marks;

    // The server is back long after: the rollback works from the marks.
    provision::by_id("local").unwrap().reattach(&bench.0.leases.0[0], &bench.0.request).await.unwrap();
    assert_eq!(case.count("parents").await, 3, "committed before the server went away");
    case.task.marks = marks;
    let done = migrate::by_id("transfer").unwrap().back(&case.task, &mut Voice::silent()).await.unwrap();
    assert_eq!(done.rows, 3);
    assert_eq!(case.state().await, before);
}

/// What an interrupted process committed is not done again; and if its successor fails before the import, it goes, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_taken_up_again_goes_on_or_takes_back() {
    let Some(bench) = Bench::new("a_step_that_is_taken_up_again_goes_on_or_takes_back").await else { return };
    let mut case = bench.case("again", SOURCE, TARGET, json!({})).await;
    let before = case.state().await;
    execute(&case.task.addresses.target, "INSERT INTO parents VALUES (1, 'one'), (2, 'two'), (3, 'three')").await;
    let xmin = "SELECT DISTINCT xmin::text FROM parents";
    let committed = ask(&case.task.addresses.target, xmin).await;
    let tables = json!(["parents", "children", "unused"]);
    case.task.marks = vec![
        json!({ "import": "begun", "tables": tables }),
        json!({ "import": "committing", "table": "parents", "rows": 3 }),
    ];
    let folder = case.task.folder.clone();
    let damage = |doing: &str, done| {
        if (doing, done) == ("verify", 0) {
            fs::remove_file(folder.join("children.json")).unwrap();
        }
    };
    let mut voice = Voice::silent();
    case.forward(&mut voice).await.unwrap();
    assert_eq!(ask(&case.task.addresses.target, xmin).await, committed, "the same transaction as before");
    assert_eq!(case.count("children").await, 60);

    case.task.marks.extend(voice.marks);
    let mut voice = Voice { marks: Vec::new(), hook: Box::new(damage) };
    let error = case.forward(&mut voice).await.unwrap_err();
    assert!(matches!(error, StepError::Rejected { .. }), "{error:?}");
    assert_eq!(voice.marks, [json!({ "import": "taken_back" })]);
    assert_eq!(case.state().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_target_is_told_and_emptied_again() {
    const TEST: &str = "a_full_target_is_told_and_emptied_again";
    // Dropped last: a folder goes only when nothing is mounted in it any more.
    let room = Sandbox::new();
    let Some(disk) = SmallDisk::mount(room.path("disk"), "160m") else {
        return skipped(TEST, "root", "a small disk cannot be mounted here");
    };
    let work = disk.path();
    let Some(bench) = Bench::on(TEST, Sandbox::new(), work).await else { return };
    // Random letters, which the server does not compress: 8 MB.
    let source = format!(
        "{SOURCE}; UPDATE parents SET name = hex(randomblob(2000));
         INSERT INTO children WITH RECURSIVE n (value) AS (VALUES (100) UNION ALL SELECT value + 1 FROM n WHERE value < 4100)
        SELECT value, 1, 1, hex(randomblob(1000)) FROM n"
    );
    let case =
        bench.case("crowded", &source, &TARGET.replace("varchar(20)", "text"), json!({ "batch_rows": 1000 })).await;
    // A fresh segment of the server's log, so that it is the table that finds no room and not the log.
    execute(&bench.0.server.admin, "CHECKPOINT").await;
    ask(&bench.0.server.admin, "SELECT pg_switch_wal()").await;
    execute(&bench.0.server.admin, "CREATE TABLE touched (x int)").await;
    execute(&bench.0.server.admin, "CHECKPOINT").await;
    disk.fill_up_to(2 << 20);
    let (error, marks) = case.fails(|_, _| {}).await;
    assert!(matches!(error, StepError::Engine(EngineError::Full { .. })), "{error:?}");
    assert!(chain(&error).contains("no space is left while copying into"), "{}", chain(&error));
    assert_eq!(marks.last().unwrap(), &json!({ "import": "taken_back" }));
}

/// Keys and indexes that are set aside for many rows come back as they were: after the rows, and after a failure.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_set_aside_come_back() {
    let Some(bench) = Bench::new("keys_that_are_set_aside_come_back").await else { return };
    let source = "CREATE TABLE tree (id INTEGER PRIMARY KEY, up INTEGER REFERENCES tree (id));
                  PRAGMA foreign_keys = off;
                  INSERT INTO tree WITH RECURSIVE n (value) AS (VALUES (1) UNION ALL SELECT value + 1 FROM n
                  WHERE value < 12000) SELECT value, 12001 - value FROM n";
    let target = "CREATE TABLE tree (id bigint PRIMARY KEY, up bigint CONSTRAINT grown REFERENCES tree (id)
                  ON DELETE CASCADE DEFERRABLE);
                  CREATE INDEX tree_up ON tree (up DESC) WHERE up > 5;
                  COMMENT ON INDEX tree_up IS 'partly';
                  COMMENT ON CONSTRAINT grown ON tree IS 'it''s a tree'";
    let case = bench.case("aside", source, target, json!({})).await;
    let admin = case.admin.clone();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'aside'";
    // `fails` compares the catalogue and the rows with what they were before.
    let (_, marks) = case
        .fails(|doing, done| {
            if (doing, done) == ("import", 5000) {
                let admin = admin.clone();
                wait(async move { ask(&admin, sql).await });
            }
        })
        .await;
    let aside: Vec<&str> =
        marks[0]["aside"].as_array().unwrap().iter().map(|key| key["add"].as_str().unwrap()).collect();
    let [primary, index, foreign] = aside[..] else { panic!("{aside:?}") };
    assert!(primary.contains("PRIMARY KEY (id)"), "{primary}");
    assert!(index.contains("WHERE (up > 5)") && index.contains("COMMENT ON INDEX"), "{index}");
    assert!(foreign.contains("ON DELETE CASCADE DEFERRABLE"), "{foreign}");
    let keys = "SELECT pg_get_constraintdef(oid), convalidated::text, obj_description(oid) FROM pg_constraint
                WHERE conname = 'grown'";
    let before = ask(&case.task.addresses.target, keys).await;
    case.forward(&mut Voice::silent()).await.unwrap();
    assert_eq!(case.count("tree").await, 12000);
    assert_eq!(ask(&case.task.addresses.target, keys).await, before);
}
