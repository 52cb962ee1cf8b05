//! SQLite: NUL and bytes that are no UTF-8 in text, the widest table, names, virtual tables, generated columns.

use super::*;

#[test]
fn peculiar_tables_of_sqlite_are_compared_right() {
    let audit = Audit::new();
    let names = |prefix: &str| (0..2000).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>().join(", ");
    let sql = format!(
        r#"CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);
           INSERT INTO t VALUES (1, 'a' || char(0) || 'b'), (2, CAST(x'ff61' AS TEXT)), (3, CAST(x'610062' AS TEXT));
           CREATE TABLE wide ({}); INSERT INTO wide VALUES ({});
           CREATE TABLE "sel""ect😀 x" ("or der" INTEGER PRIMARY KEY, "" TEXT); INSERT INTO "sel""ect😀 x" VALUES (1, 2);
           CREATE TABLE made (id INTEGER PRIMARY KEY, g INT GENERATED ALWAYS AS (id * 2) STORED, h INT AS (id * 3));
           INSERT INTO made VALUES (1);
           CREATE VIEW seen AS SELECT 1;"#,
        names("c"),
        names("")
    );
    let make = |name: &str, more: &str| {
        let path = audit.sandbox.path(name);
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(&format!("{sql}{more}")).unwrap();
        format!("sqlite:{}", path.display())
    };
    let call = |source: &str, target: &str| {
        let ended = ended(&mut audit.sandbox.rehearsal(&["audit", "--source", source, "--target", target]));
        (ended, audit.sandbox.report("audit"))
    };
    let source = make("a.db", "");
    let (ended, report) = call(&source, &make("b.db", ""));
    assert!(ended.code == 0 && report.coverage.is_whole(), "{ended:?}");
    let changed = "UPDATE t SET x = 'a' WHERE id = 1; UPDATE t SET x = CAST(x'fe61' AS TEXT) WHERE id = 2;
                   UPDATE wide SET c1999 = 0; UPDATE \"sel\"\"ect😀 x\" SET \"\" = 3;";
    let (ended, report) = call(&source, &make("c.db", changed));
    assert_eq!(ended.code, 1, "{ended:?}");
    let found = errors(&report);
    for expected in [
        "checksum changed_value target t.x 2",
        "checksum missing_row target wide 1",
        "checksum changed_value target sel\"ect😀 x. 1",
    ] {
        assert!(found.contains(&expected.to_owned()), "{expected}: {found:#?}");
    }

    // What a module keeps is its own affair, and is named.
    let module = "CREATE VIRTUAL TABLE found USING fts5 (word); INSERT INTO found VALUES ('hello');";
    let (ended, report) = call(&make("d.db", module), &make("e.db", module));
    assert_eq!((ended.code, report.verdict), (3, Verdict::Inconclusive), "{ended:?}");
    let named = unchecked(&report);
    let is_it = |one: &String| one.starts_with("row source found: is a virtual table of the module `fts5`");
    assert!(named.iter().any(is_it), "{named:#?}");
}
