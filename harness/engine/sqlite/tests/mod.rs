//! Sessions on real files.

mod catalogue;

use std::ops::ControlFlow;

use tempfile::TempDir;

use crate::{
    canon::{Cell, RowSink},
    engine::{Dialect, Engine, EngineError, RowSource, Rowset, Session, content},
    model::{Address, Catalogue, Endpoint, EngineId, TableName, Value, catalogue::Reference},
};

use super::{Sqlite, dialect::SqliteDialect};

async fn open(folder: &TempDir) -> Box<dyn Session> {
    let endpoint = Endpoint::File(folder.path().join("file:odd ?name.db"));
    Sqlite.connect(&Address { engine: EngineId::from("sqlite"), endpoint }).await.unwrap()
}

async fn with(script: &str) -> (TempDir, Box<dyn Session>) {
    let folder = TempDir::new().unwrap();
    let mut session = open(&folder).await;
    session.execute(script).await.unwrap();
    (folder, session)
}

/// Keeps every cell in its debug form.
#[derive(Default)]
struct Kept {
    rows: Vec<Vec<String>>,
    row: Vec<String>,
    most: Option<usize>,
}

impl RowSink for Kept {
    fn cell(&mut self, column: usize, cell: Cell<'_>) {
        assert_eq!(column, self.row.len());
        self.row.push(format!("{cell:?}"));
    }

    fn end_row(&mut self) -> ControlFlow<()> {
        self.rows.push(std::mem::take(&mut self.row));
        if self.most == Some(self.rows.len()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Gives the rows of a list.
struct Listed(std::vec::IntoIter<Vec<Value>>);

impl RowSource for Listed {
    fn next(&mut self, row: &mut Vec<Value>) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        let next = self.0.next();
        row.extend(next.iter().flatten().cloned());
        match row.first() {
            Some(Value::Text(text)) if text == "broken" => Err("the file ended early".into()),
            _ => Ok(next.is_some()),
        }
    }
}

fn rowset(table: &str, columns: &[&str]) -> Rowset {
    Rowset::of(TableName::new(table), columns.iter().map(|name| (*name).to_owned()).collect())
}

async fn scanned(session: &mut dyn Session, table: &str, columns: &[&str]) -> Vec<Vec<String>> {
    let mut kept = Kept::default();
    session.scan(&rowset(table, columns), &mut kept).await.unwrap();
    kept.rows
}

async fn load(session: &mut dyn Session, table: &str, rows: Vec<Vec<Value>>) -> Result<u64, EngineError> {
    let catalogue = session.introspect().await.unwrap();
    let table = &catalogue.tables[&TableName::new(table)];
    let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    session.load(table, &columns, &mut Listed(rows.into_iter())).await
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_storage_class_is_a_cell() {
    let (_folder, mut session) = with(
        "CREATE TABLE \"odd \"\"t\" (\"select\", [a b], \"😀\");
         INSERT INTO \"odd \"\"t\" VALUES (NULL, 9223372036854775807, -0.0), ('', x'', CAST(x'61ff00' AS TEXT));",
    )
    .await;
    let rows = scanned(session.as_mut(), "odd \"t", &["😀", "select", "a b"]).await;
    assert_eq!(rows[0], ["Float64(-0.0)", "Null", "Integer(9223372036854775807)"]);
    assert_eq!(rows[1], ["Text([97, 255, 0])", "Text([])", "Bytes([])"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_can_end_early_and_knows_its_columns() {
    let (_folder, mut session) = with("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)").await;
    let mut kept = Kept { most: Some(2), ..Kept::default() };
    assert_eq!(session.scan(&rowset("t", &["a"]), &mut kept).await.unwrap(), 2);
    // SQLite itself would take the unknown name for a text.
    let error = session.scan(&rowset("t", &["unknown"]), &mut kept).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_has_rows_can_be_scanned() {
    let (_folder, mut session) = with(
        "CREATE TABLE tight (b, a, PRIMARY KEY (a)) WITHOUT ROWID; CREATE INDEX i ON tight (b);
         CREATE VIEW seen AS SELECT a FROM tight; CREATE VIRTUAL TABLE words USING fts5 (a);
         INSERT INTO tight VALUES (1, 2); INSERT INTO words VALUES (2);",
    )
    .await;
    for table in ["tight", "seen", "words"] {
        assert_eq!(scanned(session.as_mut(), table, &["a"]).await, [["Integer(2)"]], "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_columns_go_both_ways() {
    let names: Vec<String> = (0..2000).map(|number| format!("c{number}")).collect();
    let (_folder, mut session) = with(&format!("CREATE TABLE wide ({})", SqliteDialect.columns(&names))).await;
    let row: Vec<Value> = (0..2000).map(Value::Integer).collect();
    assert_eq!(load(session.as_mut(), "wide", vec![row]).await.unwrap(), 1);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(scanned(session.as_mut(), "wide", &names).await[0][1999], "Integer(1999)");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_are_stored_as_documented() {
    let (_folder, mut session) = with(
        "CREATE TABLE t (b BOOLEAN, d DECIMAL(9,2), dt DECIMAL TEXT(38,2), u UUID, ub BLOB, day DATE, at TIME,
                         ts TIMESTAMP, tz TIMESTAMP WITH TIME ZONE, j JSON TEXT, r REAL)",
    )
    .await;
    let row = vec![
        Value::Boolean(true),
        Value::Decimal("1.10".to_owned()),
        Value::Decimal("12345678901234567890.10".to_owned()),
        Value::Uuid([0xAB; 16]),
        Value::Uuid([0xAB; 16]),
        Value::Date(0),
        Value::Time(1),
        Value::Timestamp(0),
        Value::TimestampTz(-1),
        Value::Json("1.10".to_owned()),
        Value::Float(f64::NAN),
    ];
    load(session.as_mut(), "t", vec![row]).await.unwrap();
    let stored = session.query("SELECT * FROM t").await.unwrap().remove(0);
    let stored: Vec<&str> = stored.iter().map(|value| value.as_deref().unwrap()).collect();
    let dashed = "abababab-abab-abab-abab-abababababab";
    let bytes = format!("x'{}'", "AB".repeat(16));
    let moments = ["1970-01-01", "00:00:00.000001", "1970-01-01 00:00:00", "1969-12-31 23:59:59.999999+00:00"];
    assert_eq!(stored[..5], ["1", "1.1", "12345678901234567890.10", dashed, &bytes]);
    assert_eq!(stored[5..9], moments);
    assert_eq!(stored[9..], ["1.10", "NaN"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_stays_of_a_load_that_fails() {
    let (_folder, mut session) =
        with("CREATE TABLE t (k TEXT UNIQUE, p REFERENCES t (k)); INSERT INTO t VALUES ('kept', NULL)").await;
    for (rows, code) in [
        (vec![vec![text("x"), Value::Null], vec![text("x"), Value::Null]], "SQLITE_CONSTRAINT_UNIQUE"),
        (vec![vec![text("x"), text("nobody")]], "SQLITE_CONSTRAINT_FOREIGNKEY"),
    ] {
        let error = load(session.as_mut(), "t", rows).await.unwrap_err();
        assert!(matches!(&error, EngineError::Refused { code: Some(found), .. } if found == code), "{error}");
    }
    session.begin(false).await.unwrap();
    load(session.as_mut(), "t", vec![vec![text("first"), Value::Null]]).await.unwrap();
    let error =
        load(session.as_mut(), "t", vec![vec![text("x"), Value::Null], vec![text("broken")]]).await.unwrap_err();
    assert!(matches!(error, EngineError::RowSource { .. }), "{error}");
    // A child before its parent, because keys are checked when the transaction ends.
    load(session.as_mut(), "t", vec![vec![text("child"), text("late")], vec![text("late"), Value::Null]])
        .await
        .unwrap();
    session.commit().await.unwrap();
    let rows = session.query("SELECT k FROM t ORDER BY rowid").await.unwrap();
    let rows: Vec<&str> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(rows, ["kept", "first", "child", "late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_compared_as_sqlite_compares_them() {
    let (_folder, mut session) = with(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE p (t TEXT COLLATE NOCASE PRIMARY KEY, n INT, m INT, UNIQUE (n, m));
         INSERT INTO p VALUES ('Abc', 1, 1), ('7', 2, 2), ('007', 3, 3);
         CREATE TABLE c (t, n INT, m TEXT);
         INSERT INTO c VALUES ('aBC', NULL, NULL), (7, 1, '1'), ('07', 1, NULL), (NULL, 1, '2'), ('gone', 9, 'x');",
    )
    .await;
    let reference = |columns: &[&str], parent: &str, match_full| Reference {
        child: TableName::new("c"),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        parent: TableName::new(parent),
        parent_columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        match_full,
    };
    let texts = session.dangling(&reference(&["t"], "P", false), 10).await.unwrap();
    assert_eq!((texts.total, texts.sample), (2, vec![vec![Some("07".to_owned())], vec![Some("gone".to_owned())]]));
    assert_eq!(session.dangling(&reference(&["n", "m"], "p", false), 1).await.unwrap().total, 2);
    assert_eq!(session.dangling(&reference(&["n", "m"], "p", true), 1).await.unwrap().total, 3);
    assert_eq!(session.dangling(&reference(&["n", "m"], "nowhere", false), 1).await.unwrap().total, 3);
    assert!(session.dangling(&reference(&["q"], "p", false), 1).await.is_err());
}

/// The anti-join must agree with SQLite's own judgement, whatever the affinities.
#[tokio::test(flavor = "multi_thread")]
async fn orphans_agree_with_foreign_key_check() {
    let values = "VALUES (1), ('1'), (1.0), ('1.0'), ('a'), ('A'), ('a '), (x'61'), ('01'), (NULL), (2)";
    for parent in ["INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC", "TEXT COLLATE NOCASE", "TEXT COLLATE RTRIM"] {
        for child in ["INTEGER", "TEXT", "REAL", "BLOB", "NUMERIC"] {
            let (_folder, mut session) = with(&format!(
                "PRAGMA foreign_keys = OFF; CREATE TABLE p (k {parent} UNIQUE);
                 INSERT OR IGNORE INTO p VALUES ('1'), ('a'), (x'61');
                 CREATE TABLE c (k {child} REFERENCES p (k)); INSERT INTO c {values};"
            ))
            .await;
            let catalogue = session.introspect().await.unwrap();
            let reference = catalogue.references().next().unwrap();
            let expected = session.query("PRAGMA foreign_key_check").await.unwrap().len();
            let found = session.dangling(&reference, 3).await.unwrap();
            assert_eq!(found.total, expected as u64, "{child} -> {parent}: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicates_and_spellings_are_counted() {
    let (_folder, mut session) = with(
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b INT, u TEXT COLLATE NOCASE);
         INSERT INTO t VALUES ('x', 1, 'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'), ('X', 1, 'a0eebc999c0b4ef8bb6d6bb9bd380a11'),
             ('x', 1, '{11111111-1111-1111-1111-111111111111}'), ('x', NULL, x'11111111111111111111111111111111'),
             ('x', NULL, 'no uuid'), (NULL, 1, 'NO UUID'), ('y', 2, '22222222-2222-2222-2222-222222222222');",
    )
    .await;
    let table = TableName::new("t");
    let found = session.duplicates(&table, &["a".to_owned(), "b".to_owned()], 5).await.unwrap();
    assert_eq!((found.total, found.sample.len()), (2, 1));
    let found = session.uuid_spellings(&table, "u", 1).await.unwrap();
    assert_eq!((found.total, found.sample.len()), (2, 1));
    let first = found.sample[0].iter().map(|spelling| spelling.as_deref().unwrap()).collect::<Vec<_>>();
    assert_eq!(first, ["x'11111111111111111111111111111111'", "{11111111-1111-1111-1111-111111111111}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn truncating_touches_nothing_else() {
    let (_folder, mut session) = with(
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, b REFERENCES b (id) ON DELETE RESTRICT);
         CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (id));
         CREATE TABLE log (n); CREATE TRIGGER g AFTER DELETE ON a BEGIN INSERT INTO log VALUES (old.id); END;
         CREATE TABLE outside (a REFERENCES A (id) ON DELETE CASCADE);
         INSERT INTO a VALUES (5, NULL); INSERT INTO b VALUES (1, 5); UPDATE a SET b = 1; INSERT INTO outside VALUES (5);",
    )
    .await;
    let tables = [TableName::new("a"), TableName::new("b")];
    let error = session.truncate(&tables).await.unwrap_err();
    assert!(matches!(error, EngineError::Refused { .. }), "{error}");
    assert_eq!(scanned(session.as_mut(), "a", &["id"]).await.len(), 1);
    session.execute("DELETE FROM outside").await.unwrap();
    session.truncate(&tables).await.unwrap();
    assert!(scanned(session.as_mut(), "a", &["id"]).await.is_empty());
    assert!(scanned(session.as_mut(), "log", &["n"]).await.is_empty());
    assert_eq!(session.introspect().await.unwrap().sequences[0].next, 1);
    // Keys and triggers work again.
    assert!(session.execute("INSERT INTO b VALUES (1, 99)").await.is_err());
    session.execute("INSERT INTO a (b) VALUES (NULL); DELETE FROM a").await.unwrap();
    assert_eq!(scanned(session.as_mut(), "log", &["n"]).await, [["Integer(1)"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_follow_the_rows() {
    let (_folder, mut session) = with(
        "CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE TABLE b (id INTEGER PRIMARY KEY AUTOINCREMENT);
         CREATE TABLE c (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (41); INSERT INTO b VALUES (7); DELETE FROM b;
         UPDATE sqlite_sequence SET seq = 3 WHERE name = 'a';",
    )
    .await;
    let next = |catalogue: Catalogue| catalogue.sequences.iter().map(|sequence| sequence.next).collect::<Vec<_>>();
    assert_eq!(next(session.introspect().await.unwrap()), [4, 8]);
    session.advance_sequences(&["A", "b", "c"].map(TableName::new)).await.unwrap();
    assert_eq!(next(session.introspect().await.unwrap()), [42, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_transactions_refuse_writes() {
    let (folder, mut session) = with("CREATE TABLE t (a)").await;
    session.begin(true).await.unwrap();
    assert!(session.execute("INSERT INTO t VALUES (1)").await.is_err());
    session.commit().await.unwrap();
    session.begin(false).await.unwrap();
    session.execute("INSERT INTO t VALUES (1)").await.unwrap();
    session.tx_rollback().await.unwrap();
    session.tx_rollback().await.unwrap();
    assert!(scanned(session.as_mut(), "t", &["a"]).await.is_empty());
    session.begin(false).await.unwrap();
    let mut other = open(&folder).await;
    other.execute("PRAGMA busy_timeout = 1").await.unwrap();
    assert!(matches!(other.begin(false).await, Err(EngineError::Locked { .. })));
    other.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_said_at_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.db");
    std::fs::write(&path, [7; 4096]).unwrap();
    let address = |path| Address { engine: EngineId::from("sqlite"), endpoint: Endpoint::File(path) };
    let error = Sqlite.connect(&address(path)).await.err().unwrap();
    assert!(matches!(error, EngineError::BadFile { .. }), "{error}");
    let error = Sqlite.connect(&address(folder.path().join("no/such/folder.db"))).await.err().unwrap();
    assert!(matches!(error, EngineError::Unavailable { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_columns_are_profiled() {
    let (_folder, mut session) =
        with("CREATE TABLE t (a BOOLEAN, b); INSERT INTO t VALUES (1, '2024-01-02'), ('t', '2024-01-03'), (2, NULL)")
            .await;
    let profile = content::profile(session.as_mut(), &rowset("t", &["a", "b"])).await.unwrap();
    assert_eq!(profile.rows, 3);
    assert_eq!((profile.columns[0].integers, profile.columns[0].texts), (2, 1));
    assert_eq!(profile.columns[0].integer_range, Some((1, 2)));
    assert!(profile.columns[1].is_all(|forms| forms.dates));
}
