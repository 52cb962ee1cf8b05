//! The step `fence` on each engine: who is kept out, who goes on, and what is left of it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use rehearse::{
    engine::{self, Session},
    migrate::{self, StepError, StepVoice},
    model::{Address, Endpoint, EngineId, Sides, Snapshot, Stage, Tls, Verdict, chain, event::Direction},
};
use serde_json::{Value as Json, json};

use crate::support::{
    Sandbox, ended,
    mariadb::{Container, has},
    scenarios::{assert_nothing_left, failed, why},
    server::{Started, ask, execute},
    steps::{Step, assert_no_trace, state},
};

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name varchar(40) NOT NULL, note varchar(80));
    CREATE TABLE posts (id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL,
                        CONSTRAINT of_person FOREIGN KEY (person_id) REFERENCES people (id) ON DELETE CASCADE);
    INSERT INTO people VALUES (1, 'Ann', NULL), (2, 'Bo', 'x');
    INSERT INTO posts VALUES (1, 1), (2, 2)";

/// What only PostgreSQL has.
const OF_POSTGRES: &str = "CREATE SCHEMA app; CREATE TABLE app.\"Odd \"\"one\"\"\" (id int);
    CREATE TABLE parted (id int) PARTITION BY LIST (id); CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
    CREATE VIEW names AS SELECT id, name, note FROM people;
    CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER seen BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION seen()";

/// Writes that every engine understands.
const WRITES: &[&str] = &[
    "INSERT INTO people VALUES (9, 'New', NULL)",
    "INSERT INTO people SELECT id + 10, name, note FROM people",
    "UPDATE people SET name = 'x'",
    "DELETE FROM posts WHERE id = 1",
    "DELETE FROM people WHERE id = 1",
    "DELETE FROM posts",
];

/// A database, and what holds its server.
struct Bench {
    address: Address,
    sandbox: Sandbox,
    /// Ways of writing, and around a fence, that only this engine has.
    ways: &'static [&'static str],
    _server: Option<Started>,
    _container: Option<Container>,
}

impl Bench {
    fn fence(&self, name: &str, lock_timeout_ms: u64) -> Step {
        let addresses = Sides::new(self.address.clone(), self.address.clone());
        let config = json!({ "side": "source", "lock_timeout_ms": lock_timeout_ms });
        Step::new(&self.sandbox, "fence", name, &addresses, config)
    }

    async fn session(&self) -> Box<dyn Session> {
        engine::by_id(self.address.engine.as_str()).unwrap().connect(&self.address).await.unwrap()
    }

    async fn people(&self) -> String {
        ask(&self.address, "SELECT count(*) FROM people").await[0][0].clone().unwrap()
    }
}

async fn a_fence_keeps_writers_out_and_leaves_nothing(bench: &Bench) {
    let before = state(&bench.address).await;
    nobody_writes_and_everybody_reads(bench, &before).await;
    a_writer_is_waited_for_and_not_for_ever(bench, &before).await;
    a_killed_fence_is_put_up_or_taken_down(bench, &before).await;
}

async fn nobody_writes_and_everybody_reads(bench: &Bench, before: &Snapshot) {
    let mut reader = bench.session().await;
    // A transaction that reads keeps definitions as they are on the other engines, and is waited for.
    if bench.address.engine.as_str() == "postgres" {
        reader.begin(true).await.unwrap();
        reader.query("SELECT count(*) FROM people").await.unwrap();
    }
    let mut fence = bench.fence("fence", 5000);
    let done = fence.forward().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(done.notes[0].starts_with("writers are fenced off from the "), "{:?}", done.notes);
    assert!(done.notes.len() > 1, "what gets past it is told: {:?}", done.notes);
    assert_eq!(reader.query("SELECT count(*) FROM people").await.unwrap()[0][0].as_deref(), Some("2"));
    reader.close().await.unwrap();
    for write in WRITES.iter().chain(bench.ways) {
        let mut session = bench.session().await;
        let outcome = session.execute(write).await;
        session.close().await.unwrap();
        // One that is told to ignore what is refused may say nothing.
        assert!(outcome.is_err() || write.contains("IGNORE"), "{write} was let through");
        assert_eq!(state(&bench.address).await.tables, before.tables, "{write}");
    }
    assert_eq!(bench.people().await, "2");
    let error = bench.fence("another", 5000).forward().await.unwrap_err();
    assert!(matches!(error, StepError::Refused { .. }), "{error:?}");
    assert!(chain(&error).contains("a fence that is none of this step's stands around the source"), "{error:?}");
    fence.back().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_no_trace(before, &state(&bench.address).await, "the fence");
    execute(&bench.address, "UPDATE people SET name = 'Ann' WHERE id = 1").await;
}

async fn a_writer_is_waited_for_and_not_for_ever(bench: &Bench, before: &Snapshot) {
    let mut writer = bench.session().await;
    writer.begin(false).await.unwrap();
    writer.execute("INSERT INTO people VALUES (9, 'New', NULL)").await.unwrap();
    let mut fence = bench.fence("fence", 1000);
    let error = fence.forward().await.expect_err("somebody writes");
    assert!(chain(&error).contains("failed to fence the source off"), "{}", chain(&error));
    // The writer goes on, and is not fenced off in the middle.
    writer.execute("UPDATE people SET note = 'still here' WHERE id = 9").await.unwrap();
    writer.tx_rollback().await.unwrap();
    assert_no_trace(before, &state(&bench.address).await, "a fence that was given up");

    writer.begin(false).await.unwrap();
    writer.execute("INSERT INTO people VALUES (9, 'New', NULL)").await.unwrap();
    let mut fence = bench.fence("fence", 30_000);
    let ended = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        writer.commit().await.unwrap();
    };
    // A file's engine blocks its thread while it waits.
    let raised = tokio::spawn(async move { fence.forward().await.map(|_| fence) });
    ended.await;
    let mut fence = raised.await.unwrap().unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(bench.people().await, "3");
    writer.execute("DELETE FROM people WHERE id = 9").await.unwrap_err();
    fence.back().await.unwrap();
    writer.execute("DELETE FROM people WHERE id = 9").await.unwrap();
    writer.close().await.unwrap();
    assert_no_trace(before, &state(&bench.address).await, "a fence that was waited for");
}

/// Marks that are there when the process is not any more.
struct Durable(Arc<Mutex<Vec<Json>>>);

#[async_trait]
impl StepVoice for Durable {
    async fn mark(&mut self, mark: Json) -> Result<(), StepError> {
        self.0.lock().unwrap().push(mark);
        Ok(())
    }

    fn progress(&mut self, _doing: &str, _done: u64, _total: Option<u64>) {}

    fn is_stopping(&self) -> bool {
        false
    }
}

/// A process goes away while its server waits for somebody's lock: the server does not put the fence up on its own later.
async fn nobody_goes_on_with_a_fence_that_was_abandoned(bench: &Bench, before: &Snapshot) {
    let mut writer = bench.session().await;
    writer.begin(false).await.unwrap();
    writer.execute("INSERT INTO people VALUES (9, 'New', NULL)").await.unwrap();
    let mut fence = bench.fence("fence", 60_000);
    let (marks, task) = (Arc::new(Mutex::new(Vec::new())), fence.task.clone());
    let mut voice = Durable(Arc::clone(&marks));
    let raising =
        tokio::spawn(async move { migrate::by_id("fence").unwrap().forward(&task, &mut voice).await.map(drop) });
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!raising.is_finished(), "it waits for the writer");
    raising.abort();
    raising.await.unwrap_err();
    fence.task.marks = marks.lock().unwrap().clone();
    fence.back().await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    writer.tx_rollback().await.unwrap();
    writer.close().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_no_trace(before, &state(&bench.address).await, "a fence that was abandoned");
}

async fn a_killed_fence_is_put_up_or_taken_down(bench: &Bench, before: &Snapshot) {
    for (word, keeps) in [("raising", true), ("raised", false), ("raised", true)] {
        let mut fence = bench.fence("fence", 5000);
        fence.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
        fence.forward().await.unwrap_or_else(|error| panic!("{word} {keeps}: {}", chain(&error)));
        let mut session = bench.session().await;
        session.execute("DELETE FROM posts").await.expect_err("the fence is up");
        session.close().await.unwrap();
        fence.go(Direction::Back, Some("lowered"), false).await.unwrap_err();
        fence.back().await.unwrap();
        assert_no_trace(before, &state(&bench.address).await, word);

        let mut fence = bench.fence("fence", 5000);
        fence.go(Direction::Forward, Some(word), keeps).await.unwrap_err();
        fence.back().await.unwrap_or_else(|error| panic!("{word} {keeps}: {}", chain(&error)));
        assert_no_trace(before, &state(&bench.address).await, word);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_holds_on_sqlite() {
    let sandbox = Sandbox::new();
    let address = Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(sandbox.path("fenced.db")) };
    execute(&address, TABLES).await;
    let ways = &[
        "INSERT OR IGNORE INTO people VALUES (9, 'New', NULL)",
        "INSERT OR REPLACE INTO people VALUES (1, 'x', NULL)",
        "PRAGMA recursive_triggers = OFF; REPLACE INTO people VALUES (1, 'x', NULL)",
        "UPDATE OR IGNORE people SET name = 'x'",
        "PRAGMA foreign_keys = OFF; DELETE FROM people",
        "PRAGMA ignore_check_constraints = ON; UPDATE people SET name = 'x'",
        "INSERT INTO people VALUES (1, 'x', NULL) ON CONFLICT (id) DO UPDATE SET name = 'x'",
    ];
    let bench = Bench { address, sandbox, ways, _server: None, _container: None };
    a_fence_keeps_writers_out_and_leaves_nothing(&bench).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_holds_on_postgres() {
    let Some(server) = Started::local("a_fence_holds_on_postgres").await else { return };
    let address = server.server.admin.clone();
    execute(&address, TABLES).await;
    execute(&address, OF_POSTGRES).await;
    let ways = &[
        "TRUNCATE posts",
        "TRUNCATE people CASCADE",
        "SET session_replication_role = 'replica'; INSERT INTO people VALUES (9, 'New', NULL)",
        "SET session_replication_role = 'replica'; UPDATE people SET name = 'x'",
        "SET session_replication_role = 'replica'; DELETE FROM posts",
        "SET session_replication_role = 'replica'; TRUNCATE posts",
        "SET session_replication_role = 'local'; DELETE FROM posts",
        "SET default_transaction_read_only = off; SET transaction_read_only = off; DELETE FROM posts",
        "INSERT INTO people VALUES (1, 'x') ON CONFLICT DO NOTHING",
        "INSERT INTO names VALUES (9, 'New', NULL)",
        "INSERT INTO parted VALUES (1)",
        "INSERT INTO parted_1 VALUES (1)",
        "INSERT INTO app.\"Odd \"\"one\"\"\" VALUES (1)",
        "WITH gone AS (DELETE FROM posts RETURNING id) SELECT * FROM gone",
    ];
    let bench = Bench { address, sandbox: Sandbox::new(), ways, _server: Some(server), _container: None };
    a_fence_keeps_writers_out_and_leaves_nothing(&bench).await;
    nobody_goes_on_with_a_fence_that_was_abandoned(&bench, &state(&bench.address).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fence_holds_on_mariadb() {
    if !has("a_fence_holds_on_mariadb", "11.8").await {
        return;
    }
    let container = Container::start("mariadb:11.8", &[], &[]);
    container.wait().await;
    let admin = container.address("127.0.0.1", Tls::default());
    execute(&admin, "CREATE DATABASE fenced CHARACTER SET utf8mb4").await;
    let address = admin.with_database("fenced");
    execute(&address, TABLES).await;
    let ways = &[
        "INSERT IGNORE INTO people VALUES (9, 'New', NULL)",
        "REPLACE INTO people VALUES (1, 'x', NULL)",
        "UPDATE IGNORE people SET name = 'x'",
        "DELETE IGNORE FROM posts",
        "INSERT INTO people VALUES (1, 'x', NULL) ON DUPLICATE KEY UPDATE name = 'x'",
        "SET SESSION foreign_key_checks = 0; DELETE FROM people",
        "SET SESSION sql_mode = ''; UPDATE people SET name = 'x'",
        "SET SESSION sql_log_bin = 0; DELETE FROM posts",
        "SET STATEMENT sql_mode = '' FOR DELETE FROM posts",
    ];
    let bench = Bench { address, sandbox: Sandbox::new(), ways, _server: None, _container: Some(container) };
    a_fence_keeps_writers_out_and_leaves_nothing(&bench).await;
    nobody_goes_on_with_a_fence_that_was_abandoned(&bench, &state(&bench.address).await).await;
}

/// The fence is no change of the source and nothing that a copy has to carry; what changed besides is told.
#[test]
fn a_migration_behind_a_fence_is_rehearsed() {
    let sandbox = Sandbox::new();
    let tables = TABLES.split("INSERT").next().unwrap();
    sandbox.write("fenced/tables.sql", tables);
    sandbox.write("fenced/rename.sql", "UPDATE people SET name = name || '!'");
    sandbox.write("fenced/rename-back.sql", "UPDATE people SET name = substr(name, 1, length(name) - 1)");
    let (fence, copy) = ("[[step]]\nkind = \"fence\"\nlock_timeout = \"2s\"\n", "[[step]]\nkind = \"copy\"\n");
    let rename = "[[step]]\nname = \"rename\"\nkind = \"sql\"\nside = \"source\"\nup = \"rename.sql\"\n\
                  down = \"rename-back.sql\"\n";
    let run = |steps: &[&str]| {
        let sides = "format_version = 1\ntitle = \"Fenced\"\n[source]\nengine = \"sqlite\"\nschema = \"tables.sql\"\n\
                     [target]\nengine = \"sqlite\"\nschema = \"tables.sql\"\n";
        sandbox.write("fenced/scenario.toml", format!("{sides}{}", steps.concat()));
        let told = ended(&mut sandbox.rehearsal(&["run", sandbox.path("fenced").to_str().unwrap(), "--rows", "20"]));
        (told, sandbox.report("fenced"))
    };
    let (told, report) = run(&[fence, copy]);
    assert_eq!((told.code, report.verdict), (0, Verdict::Pass), "{told:?}");
    assert!(
        report.run.notes.iter().any(|note| note.starts_with("writers are fenced off from the 2 tables")),
        "{told:?}"
    );

    let (told, report) = run(&[rename, fence, copy]);
    assert_eq!((told.code, report.verdict), (1, Verdict::Fail), "{told:?}");
    assert_eq!(failed(&report, Stage::Migrated), ["source"], "{told:?}");
    let checks = report.scenarios[0].checks.iter().filter(|check| check.id == "source");
    let found: Vec<String> = checks.flat_map(|check| &check.findings).map(|one| one.subject.to_string()).collect();
    assert_eq!(found, ["source people.name"], "{told:?}");

    let (told, report) = run(&[fence, rename, copy]);
    assert_eq!((told.code, report.verdict), (3, Verdict::Inconclusive), "{told:?}");
    let refused = why(&report, "migrate/rename");
    assert!(refused.contains("the database is fenced off while it is migrated"), "{refused}");
    assert_nothing_left(&report);
}
