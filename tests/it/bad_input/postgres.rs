//! PostgreSQL: names, tables without columns, partitions, views, foreign tables, generated columns, the widest table, bytes
//! that are no text, rows that no message holds.

use rehearse::model::{Endpoint, Host};

use super::*;
use crate::support::server::{Started, execute};

/// A cluster with pairs of databases.
pub(super) struct Bench(pub Started);

impl Bench {
    pub async fn new(test: &str) -> Option<Self> {
        Started::local(test).await.map(Self)
    }

    pub async fn sql(&self, database: &str, sql: &str) {
        execute(&self.0.server.admin.with_database(database), sql).await;
    }

    /// Creates two databases with the same tables and rows.
    pub async fn pair(&self, how: &str, sql: &str) {
        for database in ["a", "b"] {
            self.0.execute(&format!("CREATE DATABASE {database} TEMPLATE template0 {how}")).await;
            self.sql(database, sql).await;
        }
    }

    pub fn url(&self, database: &str) -> String {
        let Endpoint::Server { host: Host::Socket { directory, port }, user, password, .. } =
            &self.0.server.admin.endpoint
        else {
            panic!("a cluster listens on a socket")
        };
        let (directory, password) = (directory.display(), password.as_ref().unwrap().reveal());
        format!("postgres://{user}:{password}@/{database}?host={directory}&port={port}")
    }

    pub fn urls(&self) -> (String, String) {
        (self.url("a"), self.url("b"))
    }
}

const PECULIAR: &str = r#"
CREATE TABLE "sel""ect"" t😀" ("or der" int PRIMARY KEY, "from" text, "ä""'`\" text);
INSERT INTO "sel""ect"" t😀" VALUES (1, 'x', 'y'), (2, NULL, '');
CREATE TABLE "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
    (id int PRIMARY KEY, "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" int);
INSERT INTO "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" VALUES (1, 2);
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE VIEW seen AS SELECT 1 AS x;
CREATE TABLE parts (id int PRIMARY KEY, t text) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_other PARTITION OF parts DEFAULT;
INSERT INTO parts VALUES (1, 'a'), (100, 'b');
CREATE TABLE made (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED);
INSERT INTO made VALUES (1), (2);
DO $$ BEGIN
    EXECUTE 'CREATE TABLE wide (' || (SELECT string_agg('c' || i || ' smallint', ', ') FROM generate_series(1, 1600) i) || ')';
    EXECUTE 'INSERT INTO wide VALUES (' || (SELECT string_agg(i::text, ', ') FROM generate_series(1, 1600) i) || ')';
END $$;"#;

#[tokio::test(flavor = "multi_thread")]
async fn peculiar_tables_of_postgres_are_compared_right() {
    let Some(bench) = Bench::new("peculiar_tables_of_postgres_are_compared_right").await else { return };
    bench.pair("", PECULIAR).await;
    let (source, target) = bench.urls();
    let audit = Audit::new();
    audit.passes(&source, &target);
    bench
        .sql(
            "b",
            r#"DELETE FROM nothing WHERE ctid = '(0,1)';
               UPDATE parts SET t = 'B' WHERE id = 100;
               UPDATE wide SET c1600 = 0;
               UPDATE "sel""ect"" t😀" SET "from" = 'X' WHERE "or der" = 1;
               UPDATE "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
                   SET "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" = 3;
               ALTER TABLE made ALTER twice DROP EXPRESSION; UPDATE made SET twice = 5 WHERE id = 2;"#,
        )
        .await;
    let found = audit.finds(&source, &target);
    for expected in [
        "checksum changed_value target parts.t 1",
        "checksum missing_row target wide 1",
        "checksum extraneous_row target wide 1",
        "checksum changed_value target sel\"ect\" t😀.from 1",
        "checksum changed_value target nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn.\
         ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc 1",
        "checksum changed_value target made.twice 1",
        "row_count count_differs target nothing 1",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected}: {found:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_text_are_compared_as_they_are() {
    let Some(bench) = Bench::new("bytes_that_are_no_text_are_compared_as_they_are").await else { return };
    let sql = r"CREATE TABLE t (id int PRIMARY KEY, x text, y varchar(20));
                INSERT INTO t VALUES (1, E'a\xff', 'ok'), (2, E'\xe9t\xe9', E'\x80');
                CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1);";
    bench.pair("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", sql).await;
    let (source, target) = bench.urls();
    let audit = Audit::new();
    audit.passes(&source, &target);
    bench.sql("b", r"UPDATE t SET x = E'a\xfe' WHERE id = 1; DELETE FROM other").await;
    let found = audit.finds(&source, &target);
    let expected = [
        "checksum missing_row target other 1",
        "checksum changed_row target t 1",
        "checksum changed_value target t.x 1",
        "row_count count_differs target other 1",
    ];
    assert_eq!(found, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn huge_values_are_compared_and_rows_that_no_message_holds_are_named() {
    let test = "huge_values_are_compared_and_rows_that_no_message_holds_are_named";
    let Some(bench) = Bench::new(test).await else { return };
    let sql = "CREATE TABLE huge (id int PRIMARY KEY, t text, b bytea);
               INSERT INTO huge VALUES (1, repeat('x', 200000000));
               CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1);";
    bench.pair("", sql).await;
    let (source, target) = bench.urls();
    let audit = Audit::new();
    audit.passes(&source, &target);
    bench.sql("b", "UPDATE huge SET t = overlay(t PLACING 'y' FROM 200000000)").await;
    let expected = ["checksum changed_row target huge 1", "checksum changed_value target huge.t 1"];
    assert_eq!(audit.finds(&source, &target), expected);

    // Values of a row are stored apart, and a message that holds all of them would have more than 1 GB.
    bench.sql("b", "UPDATE huge SET t = repeat('x', 600000000)").await;
    bench.sql("b", "UPDATE huge SET b = repeat('y', 600000000)::bytea; DELETE FROM other").await;
    let (ended, report) = audit.of(&source, &target);
    // What is in the other table was compared nevertheless.
    assert!(errors(&report).contains(&"checksum missing_row target other 1".to_owned()), "{ended:?}");
    let named = unchecked(&report);
    assert!(named.iter().any(|one| one.contains("target huge") && one.contains("(54000)")), "{named:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_tables_that_cannot_be_read_are_named() {
    let test = "foreign_tables_that_cannot_be_read_are_named";
    let Some(bench) = Bench::new(test).await else { return };
    let installed = crate::support::server::ask(
        &bench.0.server.admin,
        "SELECT name::text FROM pg_available_extensions WHERE name = 'file_fdw'",
    );
    if installed.await.is_empty() {
        return crate::support::skipped(test, "file_fdw", "the extension is not installed");
    }
    let away = bench.0.sandbox.path("away.csv").display().to_string();
    let sql = format!(
        "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
         CREATE FOREIGN TABLE elsewhere (line text) SERVER files OPTIONS (filename '{away}');
         CREATE TABLE here (id int PRIMARY KEY); INSERT INTO here VALUES (1), (2);"
    );
    bench.pair("", &sql).await;
    let (source, target) = bench.urls();
    // Each side may read another file, although both definitions are the same.
    let (ended, report) = Audit::new().of(&source, &target);
    let named = unchecked(&report);
    assert_eq!(
        named.iter().filter(|one| one.contains("elsewhere: its rows are kept by a foreign server")).count(),
        2,
        "{ended:?}"
    );
    bench
        .sql("b", "DROP FOREIGN TABLE elsewhere; CREATE TABLE elsewhere (line text); DELETE FROM here WHERE id = 2")
        .await;
    let (source, target) = bench.urls();
    let (ended, report) = Audit::new().of(&source, &target);
    assert!(errors(&report).contains(&"checksum missing_row target here 1".to_owned()), "{ended:?}");
    let named = unchecked(&report);
    assert!(named.iter().any(|one| one.starts_with("row source elsewhere: ")), "{named:#?}");
    assert!(!report.coverage.is_whole());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_rights_is_told_what_it_could_not_read() {
    let Some(bench) = Bench::new("a_role_without_rights_is_told_what_it_could_not_read").await else { return };
    bench.0.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'").await;
    let sql = "CREATE TABLE granted (id int PRIMARY KEY, t text); INSERT INTO granted VALUES (1, 'x'), (2, 'y');
               CREATE TABLE kept (id int PRIMARY KEY, t text); INSERT INTO kept VALUES (1, 'x');
               CREATE TABLE half (id int PRIMARY KEY, t text); INSERT INTO half VALUES (1, 'x');
               GRANT SELECT ON granted TO modest; GRANT SELECT (id) ON half TO modest;";
    bench.pair("", sql).await;
    let as_modest = |url: String| {
        let (_, place) = url.split_once("@/").unwrap();
        format!("postgres://modest:modest@/{place}")
    };
    let (source, target) = (as_modest(bench.url("a")), as_modest(bench.url("b")));
    let (ended, report) = Audit::new().of(&source, &target);
    assert_eq!((ended.code, report.verdict), (3, Verdict::Inconclusive), "{ended:?}");
    let named = unchecked(&report);
    for table in ["kept", "half"] {
        let is_it = |one: &String| one.contains(&format!(" {table}: ")) && one.contains("permission denied");
        assert!(named.iter().any(is_it), "{table}: {named:#?}");
    }
    assert!(!named.iter().any(|one| one.contains("granted")), "{named:#?}");
    bench.sql("b", "DELETE FROM granted WHERE id = 2").await;
    let found = Audit::new().finds(&source, &target);
    assert!(found.contains(&"checksum missing_row target granted 1".to_owned()), "{found:?}");
}

/// Where the source can be asked under the target's collation, it is; where it cannot, nobody says that its keys are fine.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_one_in_the_target_are_foretold_or_named() {
    let Some(bench) = Bench::new("keys_that_are_one_in_the_target_are_foretold_or_named").await else { return };
    let folding = "CREATE COLLATION folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
    let rows = "INSERT INTO words VALUES ('Ada'), ('Bo')";
    bench.pair("", "").await;
    bench.sql("a", &format!("CREATE TABLE words (word text PRIMARY KEY); {rows}, ('ada')")).await;
    bench.sql("b", &format!("{folding} CREATE TABLE words (word text COLLATE folding PRIMARY KEY); {rows}")).await;
    bench.sql("a", "CREATE TABLE names (name text PRIMARY KEY); INSERT INTO names VALUES ('Ada'), ('ada')").await;
    bench
        .sql(
            "b",
            "CREATE EXTENSION citext; CREATE TABLE names (name citext PRIMARY KEY); INSERT INTO names VALUES ('Ada')",
        )
        .await;
    let (source, target) = bench.urls();
    let collision = "unique key_collision source words.word 1".to_owned();
    let (_, report) = Audit::new().of(&source, &target);
    assert!(!errors(&report).contains(&collision));
    let named = unchecked(&report);
    for table in ["words", "names"] {
        assert!(named.iter().any(|one| one.contains(table) && !one.starts_with("object")), "{table}: {named:#?}");
    }
    bench.sql("a", folding).await;
    let (ended, report) = Audit::new().of(&source, &target);
    assert!(errors(&report).contains(&collision), "{ended:?}");
    assert!(!unchecked(&report).iter().any(|one| one.contains("words")), "{:#?}", unchecked(&report));
}
