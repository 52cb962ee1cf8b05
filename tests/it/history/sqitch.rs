//! What sqitch keeps, as it would find it: by the ids that it computes, where it looks.

use rehearse::{
    engine,
    migrate::layout::{self, LedgerSql},
    model::{Address, Endpoint, EngineId},
    provision::Request,
};

use super::Past;
use crate::{
    checks::bench::url,
    support::{
        Sandbox,
        server::{Started, ask, execute, request},
    },
};

/// Three changes, one of them made anew behind a tag.
const FILES: &[(&str, &str)] = &[
    (
        "sqitch.plan",
        "%syntax-version=1.0.0\n%project=shop\n%uri=https://example.org/shop\n\n\
         users 2024-01-01T10:00:00Z Ann Berg <ann@example.org> # Who is known.\n\
         orders [users !guests] 2024-01-02T10:00:00Z Zoë <z@example.org>\n\
         @v1.0 2024-01-03T10:00:00Z Ann Berg <ann@example.org> # first\n\
         orders [orders@v1.0] 2024-01-04T10:00:00Z Ann Berg <ann@example.org>\n",
    ),
    ("deploy/users.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY);\n"),
    ("revert/users.sql", "DROP TABLE users;\n"),
    ("deploy/orders@v1.0.sql", "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n"),
    ("revert/orders@v1.0.sql", "DROP TABLE orders;\n"),
    ("deploy/orders.sql", "ALTER TABLE orders ADD COLUMN n INTEGER;\n"),
    ("revert/orders.sql", "ALTER TABLE orders DROP COLUMN n;\n"),
];

// { printf 'change 141\0'; printf 'project shop\nuri https://example.org/shop\nchange users\nplanner Ann Berg
// <ann@example.org>\ndate 2024-01-01T10:00:00Z\n\nWho is known.'; } | sha1sum, and the others in the same way.
const USERS: &str = "6ba6d6419fb560dae28b51578e45748f55bb8fee";
const ORDERS: &str = "7b7f5960ff97f74d766e9636ee6a702aaf27c155";
const TAG: &str = "842e30680ba446f41a3d5cd4d37e87cc7dd892b1";
const ORDERS_AGAIN: &str = "a5d288f30bd53c3af6f7d6463e87d502b059f0e4";
// printf 'CREATE TABLE users (id INTEGER PRIMARY KEY);\n' | sha1sum
const SCRIPT: &str = "4a0c592fb274ea6cc0a21ce728d38dd4162bf1b6";

fn past(past: Past) -> Past {
    FILES.iter().for_each(|(name, text)| past.file(name, text));
    past
}

/// What `sqitch status` and `sqitch log` ask for, of a registry whose tables have this in front of their names.
async fn assert_deployed(registry: &Address, prefix: &str) {
    let told = async |sql: &str| -> Vec<String> {
        let rows = ask(registry, &sql.replace("FROM ", &format!("FROM {prefix}"))).await;
        rows.iter()
            .map(|row| row.iter().map(|one| one.as_deref().unwrap_or("NULL")).collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert_eq!(told("SELECT project, uri FROM projects").await, ["shop https://example.org/shop"]);
    assert_eq!(told("SELECT change_id FROM changes ORDER BY committed_at").await, [USERS, ORDERS, ORDERS_AGAIN]);
    let planned = "SELECT script_hash, note, planner_name, planner_email, planned_at FROM changes WHERE change_id = ";
    let users = told(&format!("{planned}'{USERS}'")).await.remove(0);
    assert!(
        users.starts_with(&format!("{SCRIPT} Who is known. Ann Berg ann@example.org 2024-01-01 10:00:00")),
        "{users}"
    );
    assert_eq!(
        told("SELECT change_id, type, dependency, dependency_id FROM dependencies ORDER BY change_id, type").await,
        [
            format!("{ORDERS} conflict guests NULL"),
            format!("{ORDERS} require users {USERS}"),
            format!("{ORDERS_AGAIN} require orders@v1.0 {ORDERS}"),
        ]
    );
    assert_eq!(told("SELECT tag_id, tag, change_id, note FROM tags").await, [format!("{TAG} @v1.0 {ORDERS} first")]);
    let events = told("SELECT event, change_id, requires, conflicts, tags FROM events ORDER BY committed_at").await;
    let events: Vec<String> = events.iter().map(|event| event.replace(['{', '}'], "")).collect();
    let expected = [
        format!("deploy {USERS}   "),
        format!("deploy {ORDERS} users guests @v1.0"),
        format!("deploy {ORDERS_AGAIN} orders@v1.0  "),
    ];
    assert_eq!(events, expected);
    assert_eq!(
        told("SELECT round(CAST(10 * version AS decimal(9, 1))) FROM releases").await[0].trim_end_matches(".0"),
        "11"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sqitch_finds_its_registry_beside_a_file() {
    let past = past(Past::sqlite());
    let ended = past.run(&["--keep"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report = past.report();
    let told = "what the tool itself keeps is in the file `sqitch` beside it";
    assert!(report.run.notes.iter().any(|note| note == told), "{:?}", report.run.notes);
    let file = past.sandbox.work().join(format!("rehearse-{}/sqitch.db", report.run.id));
    assert!(file.is_file() && file.with_file_name("target.db").is_file());
    assert_deployed(&Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(file.clone()) }, "").await;
    let cleaned = past.sandbox.call(&["clean", report.run.id.as_str(), "--out", past.sandbox.out().to_str().unwrap()]);
    assert!(cleaned.code == 0 && !file.exists(), "{cleaned:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqitch_finds_its_registry_in_a_schema() {
    const TEST: &str = "sqitch_finds_its_registry_in_a_schema";
    let Some(started) = Started::local(TEST).await else { return };
    let past = past(Past::sqlite());
    let (folder, url) = (past.folder(), url(&started.server.admin));
    let run = ["run", "--migrations", &folder, "--engine", "postgres", "--target-url", &url, "--disposable", "--keep"];
    let ended = past.sandbox.rehearse(&run);
    assert_eq!(ended.code, 0, "{ended:?}");
    let kept = "SELECT datname FROM pg_database WHERE datname LIKE 'rehearse%'";
    let kept: Vec<String> = ask(&started.server.admin, kept).await.into_iter().flatten().flatten().collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_deployed(&started.server.admin.with_database(&kept[0]), "sqitch.").await;
}

#[tokio::test]
async fn sqitch_finds_its_registry_in_a_database() {
    const TEST: &str = "sqitch_finds_its_registry_in_a_database";
    let sandbox = Sandbox::new();
    let engine = engine::by_id("mariadb").unwrap();
    let request = Request { engine, version: Some("10.11".to_owned()), ..request(&sandbox.work()) };
    let Some(started) = Started::of(TEST, "container", request, sandbox).await else { return };
    let past = past(Past::sqlite());
    let history = layout::read(past.folder().as_ref(), None, &EngineId::from("mariadb")).unwrap();
    execute(&started.server.admin, "CREATE DATABASE sqitch").await;
    let registry = started.server.admin.with_database("sqitch");
    for statement in history.plan.unwrap().registry(&history.migrations, &LedgerSql { engine }) {
        execute(&registry, &statement).await;
    }
    assert_deployed(&registry, "").await;
    // As sqitch makes them, whatever the server's own character set is.
    let shapes = "SELECT column_name, column_type, character_set_name FROM information_schema.columns \
                  WHERE table_schema = 'sqitch' AND table_name = 'tags' AND column_name LIKE '%t%' ORDER BY 1";
    let shapes = ask(&registry, shapes).await;
    let shapes: Vec<String> =
        shapes.iter().map(|row| row.iter().flatten().cloned().collect::<Vec<_>>().join(" ")).collect();
    let expected = [
        "committed_at datetime(6)",
        "committer_email varchar(255) utf8mb3",
        "committer_name varchar(255) utf8mb3",
        "note varchar(255) utf8mb3",
        "planned_at datetime(6)",
        "project varchar(255) utf8mb3",
        "tag varchar(255) utf8mb3",
        "tag_id varchar(40) utf8mb3",
    ];
    assert_eq!(shapes, expected);
}
