//! How many rows and values a way down loses, exactly.

use rehearse::model::{FindingKind, MigrationReport, RowChange};

use super::{Past, came_to, differs, one};

/// Rows of each table: five, three of them with a word.
const ROWS: &str = "
    INSERT INTO emptied VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, 3), (4, 'd', 4), (5, NULL, 5);
    INSERT INTO removed VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd'), (5, NULL);
    INSERT INTO keyless VALUES ('x'), ('x'), ('y'), (NULL), ('z');
    INSERT INTO moved VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, 3), (4, 'd', 4), (5, NULL, 5);
    INSERT INTO gone_column VALUES (1, 'a', 1), (2, 'b', 2), (3, NULL, 3), (4, 'd', 4), (5, NULL, 5);
    INSERT INTO left_column VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd'), (5, NULL);
    INSERT INTO gone_table VALUES (1, 'a'), (2, 'b'), (3, NULL), (4, 'd'), (5, NULL);
    INSERT INTO other_key VALUES (1, 2, 'a'), (1, 3, 'b'), (2, 2, NULL), (2, 3, 'd'), (3, 2, NULL);";

/// Migrations that each have a table, in SQL that all engines take.
const PAIRS: &[(&str, &str, &str)] = &[
    (
        "01_tables",
        "CREATE TABLE emptied (id INTEGER PRIMARY KEY, word VARCHAR(9), n INTEGER);
         CREATE TABLE removed (id INTEGER PRIMARY KEY, word VARCHAR(9));
         CREATE TABLE keyless (word VARCHAR(9));
         CREATE TABLE moved (id INTEGER PRIMARY KEY, word VARCHAR(9), n INTEGER);
         CREATE TABLE gone_column (id INTEGER PRIMARY KEY, word VARCHAR(9), n INTEGER);
         CREATE TABLE left_column (id INTEGER PRIMARY KEY, word VARCHAR(9));
         CREATE TABLE gone_table (id INTEGER PRIMARY KEY, word VARCHAR(9));
         CREATE TABLE other_key (a INTEGER, b INTEGER, word VARCHAR(9), PRIMARY KEY (a, b));",
        "DROP TABLE emptied; DROP TABLE removed; DROP TABLE keyless; DROP TABLE moved; DROP TABLE gone_column;
         DROP TABLE left_column; DROP TABLE gone_table; DROP TABLE other_key;",
    ),
    (
        "02_emptied",
        "ALTER TABLE emptied DROP COLUMN word;",
        "ALTER TABLE emptied ADD COLUMN word VARCHAR(9) NOT NULL DEFAULT '';",
    ),
    ("03_removed", "DELETE FROM removed WHERE id > 2;", "INSERT INTO removed VALUES (4, 'd'), (9, 'more');"),
    ("04_keyless", "DELETE FROM keyless WHERE word = 'x';", "INSERT INTO keyless VALUES ('x'), ('w'), ('w');"),
    ("05_moved", "UPDATE moved SET n = n + 10, word = 'w';", "UPDATE moved SET n = n - 10 WHERE id < 4;"),
    ("06_gone_column", "ALTER TABLE gone_column DROP COLUMN word;", "UPDATE gone_column SET n = 0 WHERE id > 4;"),
    ("07_left_column", "ALTER TABLE left_column ADD COLUMN n INTEGER DEFAULT 7;", "SELECT 1;"),
    ("08_gone_table", "DROP TABLE gone_table;", "SELECT 1;"),
    ("09_other_key", "UPDATE other_key SET a = a + 10;", "UPDATE other_key SET a = a - 10 WHERE b = 2;"),
];

/// What became of the rows of its table: gone, more, changed, and how many values of which columns.
fn change(migration: &MigrationReport) -> (u64, u64, u64, Vec<(&str, u64)>) {
    let of_rows = migration.findings.iter().filter(|one| one.kind == FindingKind::RowsNotRestored);
    let found: Vec<&RowChange> = of_rows.clone().filter_map(|one| one.rows.as_ref()).collect();
    let [RowChange { gone, more, changed, values }] = found[..] else { panic!("{migration:?}") };
    assert_eq!(of_rows.map(|one| one.total).sum::<u64>(), gone + more + changed);
    for one in values {
        assert_eq!(one.causes.iter().map(|cause| cause.total).sum::<u64>(), one.total, "{one:?}");
    }
    (*gone, *more, *changed, values.iter().map(|one| (one.column.as_str(), one.total)).collect())
}

fn what_is_lost_is_counted(past: &Past) {
    past.pairs(PAIRS);
    let rows = past.sandbox.write("rows/01.sql", ROWS);
    let ended = past.run(&[
        "--layout",
        "golang-migrate",
        "--rows",
        "0",
        "--rows-from",
        rows.parent().unwrap().to_str().unwrap(),
    ]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let history = past.history();
    let expected = [
        "01_tables restores",
        "02_emptied loses_rows",
        "03_removed loses_rows",
        "04_keyless loses_rows",
        "05_moved loses_rows",
        "06_gone_column loses_rows",
        "07_left_column differs",
        "08_gone_table loses_rows",
        "09_other_key loses_rows",
    ];
    assert_eq!(came_to(&history), expected, "{}", ended.stdout);
    let change = |name| change(one(&history, name));
    assert_eq!(change("02_emptied"), (0, 0, 5, vec![("word", 5)]));
    assert_eq!(change("03_removed"), (2, 1, 0, vec![]));
    // One of two like rows is gone, and two like rows are more.
    assert_eq!(change("04_keyless"), (1, 2, 0, vec![]));
    assert_eq!(change("05_moved"), (0, 0, 5, vec![("n", 2), ("word", 5)]));
    assert_eq!(change("06_gone_column"), (0, 0, 4, vec![("n", 1), ("word", 3)]));
    assert_eq!(change("08_gone_table"), (5, 0, 0, vec![]));
    assert_eq!(change("09_other_key"), (2, 2, 0, vec![]));
    // What a column has in excess is no loss of rows.
    let left = differs(one(&history, "07_left_column"));
    assert!(left.iter().all(|one| one.starts_with("trace_left") || one.contains(" order:")), "{left:?}");
    let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in [
        "emptied: 5 rows changed: 5 values of word (3: a value became empty; 2: NULL became empty); 5 rows before, 5 rows after",
        "keyless: 1 row gone, 2 rows more; 5 rows before, 6 rows after",
        "gone_table: 5 rows gone; 5 rows before, no table after",
    ] {
        assert!(told.contains(line), "{line}: {}", ended.stdout);
    }
    past.sandbox.assert_released();
}

#[test]
fn what_is_lost_is_counted_on_sqlite() {
    what_is_lost_is_counted(&Past::sqlite());
}

#[test]
fn what_is_lost_is_counted_on_postgres() {
    let Some(past) = Past::postgres("what_is_lost_is_counted_on_postgres") else { return };
    what_is_lost_is_counted(&past);
}
