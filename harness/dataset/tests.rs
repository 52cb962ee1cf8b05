//! The dataset of PFA Vanguard against a real SQLite, and what has to be refused.

use std::collections::{BTreeSet, HashSet};

use rusqlite::{Connection, types::ToSqlOutput};

use super::*;
use crate::{
    engine::RowSource,
    model::{
        LogicalType, TableName, Value,
        catalogue::{CheckConstraint, Column, ForeignKey, Generation, Index, IndexPart, Key, Table},
    },
};

const SCHEMA: &str = include_str!("../../scenarios/pfa-vanguard/schema/source.sql");
const FILE: &str = include_str!("../../scenarios/pfa-vanguard/dataset.toml");

fn sqlite(schema: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(schema).unwrap();
    connection
}

fn strings(connection: &Connection, sql: &str) -> Vec<Vec<Option<String>>> {
    let mut statement = connection.prepare(sql).unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        (0..count)
            .map(|column| {
                Ok(match row.get_ref(column)? {
                    rusqlite::types::ValueRef::Null => None,
                    rusqlite::types::ValueRef::Integer(number) => Some(number.to_string()),
                    other => Some(other.as_str().unwrap_or_default().to_owned()),
                })
            })
            .collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// As much of a catalogue as datasets need, without the engine.
fn catalogue(schema: &str) -> Catalogue {
    let connection = sqlite(schema);
    let tables =
        strings(&connection, "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    let tables = tables.into_iter().map(|row| {
        let (name, sql) = (row[0].clone().unwrap(), row[1].clone().unwrap());
        (TableName::new(&name), table(&connection, &name, &sql))
    });
    Catalogue { tables: tables.collect(), ..Catalogue::default() }
}

fn kind(declared: &str) -> LogicalType {
    let limit = declared.split_once('(').and_then(|(_, rest)| rest.trim_end_matches(')').parse().ok());
    match declared.split('(').next().unwrap() {
        "INTEGER" => LogicalType::Integer { bits: 64 },
        "REAL" => LogicalType::Float64,
        "BOOLEAN" => LogicalType::Boolean,
        "DATETIME" => LogicalType::Timestamp,
        "DATE" => LogicalType::Date,
        "BLOB" => LogicalType::Bytes,
        "INTERVAL" => LogicalType::Interval,
        _ => LogicalType::Text { limit },
    }
}

fn table(connection: &Connection, name: &str, sql: &str) -> Table {
    let columns = strings(
        connection,
        &format!("SELECT name, type, \"notnull\", dflt_value, pk FROM pragma_table_info('{name}')"),
    );
    let mut primary: Vec<(String, String)> = Vec::new();
    let columns = columns.into_iter().map(|mut row| {
        let column = row[0].take().unwrap();
        let declared = row[1].take().unwrap();
        let position = row[4].take().unwrap();
        if position != "0" {
            primary.push((position, column.clone()));
        }
        let generation = if declared == "INTEGER" && sql.contains(&format!("\"{column}\" INTEGER NOT NULL PRIMARY KEY"))
        {
            Generation::RowId { autoincrement: true }
        } else {
            Generation::None
        };
        let nullable = row[2].as_deref() == Some("0");
        Column {
            name: column,
            kind: kind(&declared),
            declared,
            nullable,
            default: row[3].take(),
            generation,
            collation: None,
        }
    });
    let columns: Vec<Column> = columns.collect();
    primary.sort();
    let key = |columns: Vec<String>| Key { name: None, columns };
    let (uniques, indexes) = indexes(connection, name);
    Table {
        columns,
        primary_key: (!primary.is_empty()).then(|| key(primary.into_iter().map(|(_, column)| column).collect())),
        uniques: uniques.into_iter().map(key).collect(),
        foreign_keys: foreign_keys(connection, name),
        indexes,
        checks: sql.split("CHECK ").skip(1).map(check).collect(),
        ..Table::empty(TableName::new(name))
    }
}

/// The text up to the closing parenthesis.
fn check(text: &str) -> CheckConstraint {
    let mut depth = 0;
    let end = text.find(|sign| {
        depth += i32::from(sign == '(') - i32::from(sign == ')');
        depth == 0
    });
    CheckConstraint { name: None, expression: text[..=end.unwrap()].to_owned() }
}

fn indexes(connection: &Connection, table: &str) -> (Vec<Vec<String>>, Vec<Index>) {
    let (mut uniques, mut indexes) = (Vec::new(), Vec::new());
    let list =
        format!("SELECT name, \"unique\", partial, origin FROM pragma_index_list('{table}') WHERE origin <> 'pk'");
    for row in strings(connection, &list) {
        let name = row[0].clone().unwrap();
        let parts = strings(connection, &format!("SELECT name FROM pragma_index_info('{name}')"));
        let columns: Vec<String> = parts.into_iter().map(|part| part[0].clone().unwrap()).collect();
        if row[1].as_deref() == Some("1") && row[2].as_deref() == Some("0") {
            uniques.push(columns);
            continue;
        }
        let sql = strings(connection, &format!("SELECT sql FROM sqlite_schema WHERE name = '{name}'"));
        let part = |column| IndexPart {
            column: Some(column),
            expression: None,
            descending: false,
            collation: None,
            prefix: None,
        };
        indexes.push(Index {
            name,
            unique: row[1].as_deref() == Some("1"),
            parts: columns.into_iter().map(part).collect(),
            predicate: sql[0][0].as_ref().and_then(|sql| sql.split_once("WHERE ")).map(|(_, rest)| rest.to_owned()),
            method: None,
            valid: true,
        });
    }
    (uniques, indexes)
}

fn foreign_keys(connection: &Connection, table: &str) -> Vec<ForeignKey> {
    let list =
        format!("SELECT id, \"from\", \"table\", \"to\" FROM pragma_foreign_key_list('{table}') ORDER BY id, seq");
    let mut keys: Vec<(String, ForeignKey)> = Vec::new();
    for row in strings(connection, &list) {
        let [id, from, parent, to] = <[Option<String>; 4]>::try_from(row).unwrap().map(Option::unwrap);
        match keys.last_mut().filter(|(known, _)| *known == id) {
            Some((_, key)) => {
                key.columns.push(from);
                key.parent_columns.push(to);
            }
            None => keys.push((
                id,
                ForeignKey {
                    name: None,
                    columns: vec![from],
                    parent: TableName::new(parent),
                    parent_columns: vec![to],
                    on_update: Default::default(),
                    on_delete: Default::default(),
                    match_full: false,
                    deferrable: None,
                    validated: true,
                },
            )),
        }
    }
    keys.into_iter().map(|(_, key)| key).collect()
}

struct Sql<'v>(&'v Value);

impl rusqlite::ToSql for Sql<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Value::Null => rusqlite::types::Null.into(),
            Value::Boolean(boolean) => (*boolean).into(),
            Value::Integer(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Text(text) | Value::Json(text) | Value::Decimal(text) => text.as_str().into(),
            Value::Bytes(bytes) => bytes.as_slice().into(),
            other => panic!("SQLite has no {other:?}"),
        })
    }
}

/// Loads the rows into a real SQLite that enforces everything it declares.
fn load(schema: &str, plans: &[TablePlan]) -> Connection {
    let connection = sqlite(schema);
    connection.execute_batch("PRAGMA foreign_keys = ON; BEGIN").unwrap();
    for plan in plans {
        let columns: Vec<String> = plan.columns.iter().map(|column| format!("\"{column}\"")).collect();
        let places = vec!["?"; columns.len()].join(", ");
        let sql = format!("INSERT INTO \"{}\" ({}) VALUES ({places})", plan.table.name.name, columns.join(", "));
        let mut insert = connection.prepare(&sql).unwrap();
        let (mut source, mut row) = (plan.source(), Vec::new());
        while source.next(&mut row).unwrap() {
            let inserted = insert.execute(rusqlite::params_from_iter(row.iter().map(Sql)));
            inserted.unwrap_or_else(|error| panic!("{}: {error}: {row:?}", plan.table.name));
            row.clear();
        }
    }
    connection.execute_batch("COMMIT").unwrap();
    connection
}

fn digest(plan: &TablePlan) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let (mut source, mut row) = (plan.source(), Vec::new());
    while source.next(&mut row).unwrap() {
        hasher.update(format!("{row:?}").as_bytes());
        row.clear();
    }
    hasher.finalize()
}

fn pfa(volume: Volume, root: u64) -> Vec<TablePlan> {
    let dataset = Dataset::parse("dataset.toml", FILE).unwrap_or_else(|problems| panic!("{problems}"));
    dataset.bind(&catalogue(SCHEMA), &volume, Seed::root(root)).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn the_67_rows_of_pfa_vanguard_hold_in_a_real_sqlite() {
    for root in 0..20 {
        let plans = pfa(Volume::default(), root);
        assert_eq!(rows_total(&plans), 67);
        let connection = load(SCHEMA, &plans);
        assert!(strings(&connection, "PRAGMA foreign_key_check").is_empty());
        assert_eq!(strings(&connection, "PRAGMA integrity_check"), [[Some("ok".to_owned())]]);
    }
}

#[test]
fn a_load_run_holds_and_its_sequences_are_used() {
    let plans = pfa(Volume { scale: 1.0, rows: Some(20_000) }, 1);
    assert_eq!(rows_total(&plans), 20_067);
    let connection = load(SCHEMA, &plans);
    assert!(strings(&connection, "PRAGMA foreign_key_check").is_empty());
    let one = |sql: &str| strings(&connection, sql)[0][0].clone().unwrap().parse::<u64>().unwrap();
    assert_eq!(one("SELECT seq FROM sqlite_sequence WHERE name = 'sync_logs'"), 5000);
    assert!(one("SELECT count(*) FROM pfa_records WHERE parent_id IS NOT NULL") > 2000);
    assert!(one("SELECT count(*) FROM pfa_records WHERE assigned_to IS NOT NULL") > 6000);
    assert!(one("SELECT count(DISTINCT organization_id) FROM ai_usage_logs") > 20);
    assert!(one("SELECT count(*) FROM pfa_records WHERE description = ''") > 0);
    assert_eq!(one("SELECT count(*) FROM sync_logs WHERE typeof(started_at) <> 'integer'"), 0);
    assert_eq!(one("SELECT count(*) FROM pfa_records WHERE created_at NOT LIKE '____-__-__T%Z'"), 0);
}

#[test]
fn the_same_root_seed_gives_the_same_bytes() {
    let digests = |root| pfa(Volume::default(), root).iter().map(digest).collect::<Vec<_>>();
    assert_eq!(digests(7), digests(7));
    assert_ne!(digests(7), digests(8));
    let mut all = blake3::Hasher::new();
    for digest in digests(2026) {
        all.update(digest.as_bytes());
    }
    // Changes only with the generators, the dataset file or the pinned crates; then every recorded seed is void.
    assert_eq!(all.finalize().to_hex()[..16], *"ae559b5ef9cc149e");
}

#[test]
fn more_rows_leave_the_first_ones_and_the_other_tables_as_they_were() {
    let few = pfa(Volume { scale: 1.0, rows: Some(500) }, 3);
    let many = pfa(Volume { scale: 1.0, rows: Some(900) }, 3);
    for (few, many) in few.iter().zip(&many) {
        for row in 0..few.rows {
            let values =
                |plan: &TablePlan| (0..plan.columns.len()).map(|column| plan.value(column, row)).collect::<Vec<_>>();
            assert_eq!(values(few), values(many), "{} row {row}", few.table.name);
        }
    }
}

#[test]
fn unique_columns_are_unique_for_100_000_rows() {
    let schema = "CREATE TABLE t (
        id TEXT PRIMARY KEY, email VARCHAR(40) UNIQUE, login TEXT UNIQUE, number INTEGER UNIQUE, code TEXT UNIQUE,
        amount TEXT UNIQUE, at TEXT UNIQUE, hash TEXT UNIQUE, kind TEXT, grade INTEGER, UNIQUE (kind, grade))";
    let text = r#"
        format_version = 1
        null_fraction = 0
        [table.t]
        rows = 100000
        [table.t.columns]
        code = { pattern = '###-???' }
        amount = { fake = "amount", max = 1000, scale = 2 }
        at = { fake = "datetime" }
        kind = { one_of = ["x", "y", "z"] }
        grade = { fake = "integer", min = 1, max = 33334 }
    "#;
    let dataset = Dataset::parse("dataset.toml", text).unwrap();
    let plans = dataset.bind(&catalogue(schema), &Volume::default(), Seed::root(4)).unwrap();
    let plan = &plans[0];
    for (column, name) in
        plan.columns.iter().enumerate().filter(|(_, name)| !["kind", "grade"].contains(&name.as_str()))
    {
        let distinct: HashSet<String> = (0..plan.rows).map(|row| format!("{:?}", plan.value(column, row))).collect();
        assert_eq!(distinct.len(), 100_000, "{name}");
    }
    load(schema, &plans);
}

#[test]
fn composite_uniques_over_references_are_used_up_to_the_last_combination() {
    let schema = "CREATE TABLE u (id TEXT PRIMARY KEY); CREATE TABLE o (id TEXT PRIMARY KEY);
        CREATE TABLE uo (u_id TEXT NOT NULL REFERENCES u (id), o_id TEXT NOT NULL REFERENCES o (id), note TEXT, PRIMARY KEY (u_id, o_id))";
    let bind = |rows: u64| {
        let text = format!("format_version = 1\n[table.u]\nrows = 7\n[table.o]\nrows = 11\n[table.uo]\nrows = {rows}");
        Dataset::parse("d.toml", &text).unwrap().bind(&catalogue(schema), &Volume::default(), Seed::root(4))
    };
    load(schema, &bind(77).unwrap());
    let problems = bind(78).unwrap_err().to_string();
    assert_eq!(
        problems,
        "d.toml:6: table.uo: 78 rows of `uo` need as many different values of the unique key `u_id`, `o_id`, which can \
         have only 77; expected fewer rows, more rows in its parents, or a generator of more values"
    );
}

#[test]
fn a_dataset_without_a_file_fills_every_table_and_cycles_hold() {
    let plans =
        Dataset::derived(&catalogue(SCHEMA)).bind(&catalogue(SCHEMA), &Volume::default(), Seed::root(1)).unwrap();
    assert_eq!(plans.len(), 12);
    assert!(plans.iter().all(|plan| plan.rows == 20));
    let cycle = "CREATE TABLE a (id INTEGER PRIMARY KEY, b_id INTEGER NOT NULL UNIQUE REFERENCES b (id));
        CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id), top INTEGER NOT NULL REFERENCES b (id));";
    let plans = Dataset::derived(&catalogue(cycle)).bind(&catalogue(cycle), &Volume::default(), Seed::root(1)).unwrap();
    let names: Vec<&str> = plans.iter().map(|plan| plan.table.name.name.as_str()).collect();
    assert_eq!(names, ["b", "a"]);
    let connection = load(cycle, &plans);
    assert!(strings(&connection, "PRAGMA foreign_key_check").is_empty());
}

#[test]
fn everything_wrong_with_a_file_is_told_at_once() {
    let text = include_str!("../../fixtures/dataset/invalid.toml");
    let expected = include_str!("../../fixtures/dataset/invalid.txt");
    let problems = Dataset::parse("invalid.toml", text).unwrap_err();
    assert_eq!(problems.to_string().trim_end(), expected.trim_end());
}

#[test]
fn names_and_generators_that_the_catalogue_does_not_bear_out_are_told() {
    let text = include_str!("../../fixtures/dataset/unbound.toml");
    let expected = include_str!("../../fixtures/dataset/unbound.txt");
    let dataset = Dataset::parse("unbound.toml", text).unwrap();
    let problems = dataset.bind(&catalogue(SCHEMA), &Volume::default(), Seed::root(1)).unwrap_err();
    assert_eq!(problems.to_string().trim_end(), expected.trim_end());
}

#[test]
fn edge_values_reach_the_columns_that_take_them() {
    let plans = pfa(Volume { scale: 1.0, rows: Some(20_000) }, 5);
    let records = plans.iter().find(|plan| plan.table.name.name == "pfa_records").unwrap();
    let column = records.columns.iter().position(|name| name == "description").unwrap();
    let seen: BTreeSet<String> = (0..records.rows)
        .filter_map(|row| match records.value(column, row) {
            Value::Text(text) => Some(text),
            _ => None,
        })
        .collect();
    for edge in ["", " ", "NULL", "\\N", "caf\u{e9}", "cafe\u{301}"] {
        assert!(seen.contains(edge), "{edge:?}");
    }
}
