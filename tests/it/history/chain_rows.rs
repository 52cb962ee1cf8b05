//! What becomes of rows when all migrations go down in a row and up again.

use rehearse::model::{ChainReport, Finding, Severity};

use super::{Past, came_to};

/// `error emptied gone 2 changed 0` of each table.
fn told(findings: &[Finding]) -> Vec<String> {
    let line = |one: &Finding| {
        let (table, rows) = (one.subject.table.clone().expect("of a table"), one.rows.clone().expect("counted"));
        format!("{} {table} gone {} changed {}", one.severity, rows.gone, rows.changed)
    };
    findings.iter().map(line).collect()
}

fn chain(past: &Past) -> ChainReport {
    past.history().chain.expect("the chain was rehearsed")
}

/// Each way down is right on its own or known: but the second one takes rows away that the third one left marked.
fn rows_from_before(past: &Past) {
    past.pairs(&[
        (
            "1_table",
            "CREATE TABLE kept (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO kept VALUES (-1, 1), (-2, 2), (-3, 3);",
            "DROP TABLE kept;",
        ),
        (
            "2_mark",
            "ALTER TABLE kept ADD COLUMN mark INTEGER DEFAULT 0;",
            "DELETE FROM kept WHERE mark = 1; ALTER TABLE kept DROP COLUMN mark;",
        ),
        ("3_marks", "UPDATE kept SET mark = 1 WHERE id < -1;", "SELECT 1;"),
    ]);
    let accept = "[[accept]]\nmigration = \"3\"\nclass = \"loses_rows\"\nwhy = \"meant\"\n";
    let file = past.sandbox.write("accept.toml", accept).display().to_string();
    let ended = past.run(&["--layout", "golang-migrate", "--from", "2", "--rows", "3", "--accept", &file]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(came_to(&past.history()), ["2_mark restores", "3_marks loses_rows"]);
    let chain = chain(past);
    assert_eq!(told(&chain.bottom_rows), ["error kept gone 2 changed 0"], "{}", ended.stdout);
    assert!(chain.bottom.is_empty() && chain.top.is_empty(), "the schema is as it was: {chain:?}");
    assert_eq!(chain.severity(), Some(Severity::Error));
    let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = "all 2 migrations in a row: restores, and gives the same again; loses rows or values";
    assert!(told.contains(line) && told.contains("at the bottom kept: 2 rows gone"), "{}", ended.stdout);
}

#[test]
fn rows_from_before_the_chain_are_counted_at_its_bottom() {
    rows_from_before(&Past::sqlite());
}

#[test]
fn rows_from_before_the_chain_are_counted_at_its_bottom_on_postgres() {
    let Some(past) = Past::postgres("rows_from_before_the_chain_are_counted_at_its_bottom_on_postgres") else { return };
    rows_from_before(&past);
}

/// Migrations that insert rows of their own: those of `words` come again, those of `marks` only where a table of an earlier
/// migration is not there yet.
fn reference_data(past: &Past) {
    past.pairs(&[
        ("1_words", "CREATE TABLE words (id INTEGER PRIMARY KEY, word VARCHAR(9)); INSERT INTO words VALUES (1, 'a'), (2, 'b');",
         "DROP TABLE words;"),
        ("2_marks", "CREATE TABLE marks (id INTEGER PRIMARY KEY, mark VARCHAR(9));
          INSERT INTO marks SELECT 1, 'x' FROM (SELECT 1 AS one) AS o WHERE NOT EXISTS (SELECT 1 FROM words WHERE id = 3);", "DROP TABLE marks;"),
        ("3_third", "INSERT INTO words VALUES (3, 'c');", "DELETE FROM words WHERE id = 3;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate", "--rows", "0"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(told(&chain(past).bottom_rows).is_empty() && told(&chain(past).top_rows).is_empty());
    // Nobody takes the third word away any more, but the table goes and comes again with two; and with the flag that stays
    // behind, the mark does not come again.
    past.pairs(&[
        ("0_flags", "CREATE TABLE flags (id INTEGER PRIMARY KEY);", "SELECT 1;"),
        (
            "2_marks",
            "CREATE TABLE marks (id INTEGER PRIMARY KEY, mark VARCHAR(9));
          INSERT INTO marks SELECT 1, 'x' FROM (SELECT 1 AS one) AS o WHERE NOT EXISTS (SELECT 1 FROM flags);",
            "DROP TABLE marks;",
        ),
        (
            "3_third",
            "INSERT INTO flags SELECT 1 FROM (SELECT 1 AS one) AS o WHERE NOT EXISTS (SELECT 1 FROM flags);",
            "SELECT 1;",
        ),
    ]);
    let ended = past.run(&["--layout", "golang-migrate", "--rows", "0", "--from", "1"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let chain = chain(past);
    assert!(chain.top.is_empty() && chain.stopped_again.is_none(), "{chain:?}");
    assert_eq!(told(&chain.top_rows), ["error marks gone 1 changed 0"], "{}", ended.stdout);
    assert!(ended.stdout.contains("at the top marks: 1 row gone"), "{}", ended.stdout);
}

#[test]
fn rows_that_migrations_insert_are_looked_for_at_the_top_again() {
    reference_data(&Past::sqlite());
}

#[test]
fn rows_that_migrations_insert_are_looked_for_at_the_top_again_on_mariadb() {
    let test = "rows_that_migrations_insert_are_looked_for_at_the_top_again_on_mariadb";
    let Some(past) = Past::mariadb(test) else { return };
    reference_data(&past);
}

#[test]
fn keys_and_values_of_chance_are_no_loss() {
    let Some(past) = Past::postgres("keys_and_values_of_chance_are_no_loss") else { return };
    past.pairs(&[
        ("1_key", "CREATE TABLE a (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), n int); INSERT INTO a (n) VALUES (1), (2);",
         "DROP TABLE a;"),
        ("2_moment", "CREATE TABLE b (id int PRIMARY KEY, made timestamptz DEFAULT clock_timestamp()); INSERT INTO b VALUES (1);",
         "DROP TABLE b;"),
    ]);
    let ended = past.run(&["--layout", "golang-migrate"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let chain = chain(&past);
    assert_eq!(told(&chain.top_rows), ["note a gone 2 changed 0", "note b gone 0 changed 1"]);
    assert_eq!(chain.sentence(), "restores, and gives the same again");
}
