//! What happens in the middle: a server that is gone, and tables that change their shape while an audit is under way.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use rehearse::model::Tls;

use super::{postgres::Bench, *};
use crate::support::{
    mariadb::{Container, PASSWORD, docker, has},
    server::{ask, execute},
};

/// Rows enough for a scan to be met in its middle.
const MANY: u32 = 600_000;

/// The process that reads the target.
const COPYING: &str =
    "SELECT pid::text FROM pg_stat_activity WHERE query LIKE 'COPY %' AND datname = 'b' AND state = 'active'";

/// A table that takes a while to read.
fn many() -> String {
    format!(
        "CREATE TABLE many AS SELECT i AS id, md5(i::text) AS t, md5((-i)::text) AS u FROM generate_series(1, {MANY}) i;
         ALTER TABLE many ADD PRIMARY KEY (id)"
    )
}

/// A running audit.
fn start(audit: &Audit, source: &str, target: &str) -> Child {
    audit.command(source, target).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn finished(audit: &Audit, child: Child) -> (Ended, Report) {
    let output = child.wait_with_output().unwrap();
    let ended = Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    (ended, audit.sandbox.report("audit"))
}

/// The answer of a query as soon as there is one.
async fn awaited(address: &rehearse::model::Address, child: &mut Child, sql: &str) -> String {
    loop {
        if let Some(row) = ask(address, sql).await.into_iter().next() {
            return row[0].clone().unwrap();
        }
        assert!(child.try_wait().unwrap().is_none(), "the audit ended before it was met in its middle");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What was done before stays, what could not be done is broken, and the server is named.
#[track_caller]
fn assert_lost(ended: &Ended, report: &Report, server: &str) {
    assert_eq!((ended.code, report.verdict), (3, Verdict::Inconclusive), "{ended:?}");
    assert_eq!((outcome(report, "schema"), outcome(report, "checksum")), ("passed", "broken"), "{ended:?}");
    let reason = report.scenarios[0].reasons.iter().find(|reason| reason.contains("`checksum`"));
    assert!(reason.is_some_and(|reason| reason.contains(server)), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_dies_in_the_middle_of_a_scan_is_named() {
    let Some(bench) = Bench::new("a_postgres_that_dies_in_the_middle_of_a_scan_is_named").await else { return };
    bench.pair("", &many()).await;
    let (source, target) = bench.urls();
    let audit = Audit::new();
    let mut child = start(&audit, &source, &target);
    let pid = awaited(&bench.0.server.admin, &mut child, COPYING).await;
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
    let (ended, report) = finished(&audit, child);
    assert_lost(&ended, &report, "failed to reach postgres://postgres@/");
    audit.sandbox.assert_released();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_in_the_middle_of_a_scan_is_named_with_the_snapshot_that_follows() {
    let test = "a_session_that_is_ended_in_the_middle_of_a_scan_is_named_with_the_snapshot_that_follows";
    let Some(bench) = Bench::new(test).await else { return };
    bench.pair("", &many()).await;
    let (source, target) = bench.urls();
    let audit = Audit::new();
    let mut child = start(&audit, &source, &target);
    let pid = awaited(&bench.0.server.admin, &mut child, COPYING).await;
    execute(&bench.0.server.admin, &format!("SELECT pg_terminate_backend({pid})")).await;
    let (ended, report) = finished(&audit, child);
    assert_lost(&ended, &report, "failed to reach postgres://postgres@/");
    // The server is still there, so that the checks that follow have an answer, of a later moment.
    assert_eq!(outcome(&report, "not_null"), "passed", "{ended:?}");
    for side in ["source", "target"] {
        let note = format!("from check `not_null` on the {side} was read in a later snapshot, taken at 20");
        assert_eq!(report.run.notes.iter().filter(|one| one.contains(&note)).count(), 1, "{ended:?}");
    }
    audit.sandbox.assert_released();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mariadb_that_dies_in_the_middle_of_a_scan_is_named() {
    let test = "a_mariadb_that_dies_in_the_middle_of_a_scan_is_named";
    if !has(test, "11.8").await {
        return;
    }
    let server = Container::start("mariadb:11.8", &[], &[]);
    server.wait().await;
    let admin = server.address("127.0.0.1", Tls::default());
    for database in ["a", "b"] {
        execute(&admin, &format!("CREATE DATABASE {database}")).await;
        let sql = format!(
            "CREATE TABLE many (id int PRIMARY KEY, t text, u text);
             INSERT INTO many SELECT seq, MD5(seq), MD5(-seq) FROM seq_1_to_{MANY}"
        );
        execute(&admin.with_database(database), &sql).await;
    }
    let url = |database: &str| format!("mariadb://root:{PASSWORD}@127.0.0.1:{}/{database}", server.port);
    let audit = Audit::new();
    let mut child = start(&audit, &url("a"), &url("b"));
    let sql = "SELECT CAST(id AS CHAR) FROM information_schema.processlist \
               WHERE db = 'b' AND info LIKE 'SELECT %many%' AND command IN ('Query', 'Execute')";
    awaited(&admin, &mut child, sql).await;
    docker(&["kill", &server.name]);
    let (ended, report) = finished(&audit, child);
    assert_lost(&ended, &report, "failed to reach mariadb://root@127.0.0.1:");
    audit.sandbox.assert_released();
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_change_their_shape_meanwhile_are_named() {
    let Some(bench) = Bench::new("tables_that_change_their_shape_meanwhile_are_named").await else { return };
    bench.pair("", TABLES).await;
    bench.sql("b", "UPDATE same SET x = 'y'").await;
    let (source, target) = bench.urls();
    let address = bench.0.server.admin.with_database("b");
    for (table, change) in [
        ("dropped", "ALTER TABLE dropped DROP COLUMN x"),
        ("retyped", "ALTER TABLE retyped ALTER x TYPE text"),
        ("emptied", "TRUNCATE emptied"),
        ("parts", "TRUNCATE parts"),
    ] {
        // An audit has its snapshot and knows the columns when it waits for the table.
        let mut session = rehearse::engine::by_id("postgres").unwrap().connect(&address).await.unwrap();
        session.execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        let audit = Audit::new();
        let mut child = start(&audit, &source, &target);
        let waits = "SELECT pid::text FROM pg_stat_activity WHERE datname = 'b' AND wait_event_type = 'Lock'";
        awaited(&bench.0.server.admin, &mut child, waits).await;
        session.execute(&format!("{change}; COMMIT")).await.unwrap();
        session.close().await.unwrap();
        let (ended, report) = finished(&audit, child);
        let found = errors(&report);
        assert!(found.contains(&"checksum changed_value target same.x 1".to_owned()), "{table}: {ended:?}");
        let named = unchecked(&report);
        assert!(named.iter().any(|one| one.starts_with(&format!("row target {table}: "))), "{table}: {ended:?}");
        let is_compared = |one: &String| one.starts_with("checksum") && one.contains(&format!(" {table}"));
        assert!(!found.iter().any(is_compared), "{table}: {found:#?}");
        // As it was, for the next.
        bench.sql("b", &format!("DROP TABLE {table} CASCADE; {}", created(table))).await;
    }
}

/// The statements that make a table and fill it.
fn created(table: &str) -> String {
    let of = |line: &&str| line.trim().starts_with(&format!("CREATE TABLE {table}"));
    TABLES.lines().filter(of).collect::<Vec<_>>().join("\n")
}

const TABLES: &str = "
    CREATE TABLE dropped (id int PRIMARY KEY, x text); INSERT INTO dropped VALUES (1, 'x');
    CREATE TABLE retyped (id int PRIMARY KEY, x int); INSERT INTO retyped VALUES (1, 2);
    CREATE TABLE emptied (id int PRIMARY KEY); INSERT INTO emptied VALUES (1);
    CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY HASH (id);
    CREATE TABLE parts_all PARTITION OF parts FOR VALUES WITH (MODULUS 1, REMAINDER 0); INSERT INTO parts VALUES (1);
    CREATE TABLE same (id int PRIMARY KEY, x text); INSERT INTO same VALUES (1, 'x');";
